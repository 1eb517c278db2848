import { narrowLine, outcomeText, tellsOutcome, withoutOutputs } from "../../tools/setup/outcome.cjs";

test.each([
  [["up"], true],
  [["up", "--stack", "lab", "--yes"], true],
  [["update", "-s", "lab"], true],
  [["preview", "--stack", "lab"], false],
  [["stack", "output"], false],
  [["up", "--json"], false],
  [["up", "-j"], false],
  [["up", "--help"], false],
  [["up", "--show-secrets"], false],
  [["up", "--suppress-outputs"], false],
  [[], false],
])("after `pulumi %j` set-up prints the outputs itself: %s", (args, tells) => {
  expect(tellsOutcome(args)).toBe(tells);
});

test("Pulumi's own list is left out then, and the rest of the command stays", () => {
  expect(withoutOutputs(["up", "--stack", "lab"])).toEqual(["up", "--suppress-outputs", "--stack", "lab"]);
});

test("the next steps come last, each line whole", () => {
  const sha256 = "ab".repeat(32);
  const nextSteps = ["There, sha256sum prints", `  ${sha256}`];
  expect(outcomeText({ imageBytes: 17, nextSteps, rehearsal: "not rehearsed" })).toBe(
    [
      "Outputs:",
      "  imageBytes  17",
      "  rehearsal   not rehearsed",
      "",
      "Next steps:",
      "  There, sha256sum prints",
      `    ${sha256}`,
      "",
    ].join("\n"),
  );
});

test("an output that is too long for a narrow terminal is on lines of its own, no word of it broken", () => {
  const path = `artifacts/${"x".repeat(60)}.html`;
  expect(outcomeText({ imageBytes: 1, rehearsal: `A virtual mini-PC booted from it: ${path}` })).toBe(
    [
      "Outputs:",
      "  imageBytes  1",
      "  rehearsal",
      "    A virtual mini-PC booted from it:",
      `    ${path}`,
      "",
    ].join("\n"),
  );
});

test("of a stack without next steps none are printed", () => {
  expect(outcomeText({ imagePath: "a.raw" })).toBe("Outputs:\n  imagePath  a.raw\n");
});

test("the user of a terminal that is too narrow for Pulumi's table reads so, and no other user", () => {
  expect(narrowLine(80)).toContain("80 columns");
  expect(narrowLine(120)).toBeUndefined();
  expect(narrowLine(undefined)).toBeUndefined();
});
