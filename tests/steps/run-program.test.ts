import { failureOf, run } from "../../steps/programs/process";

const context = { signal: new AbortController().signal };
/** More than a pipe holds, so that the end of a program that reads nothing always breaks the pipe (pipe(7)). */
const LONG = "x".repeat(1 << 20);

test("a program that ends well without reading its input has ended well", async () => {
  const { exitCode, stdout } = await run(context, "sh", ["-c", "echo done"], { input: LONG });
  expect([exitCode, stdout]).toEqual([0, "done"]);
});

test("a program that fails without reading its input is judged by its status and its words, not by the broken pipe", async () => {
  const script = "echo 'it is no key' >&2; exit 3";
  const fault = await run(context, "sh", ["-c", script], { input: LONG }).catch((thrown: unknown) => thrown);
  expect(String(fault)).toContain("it is no key");
  expect(failureOf(fault)).toMatchObject({ exitCode: 3, stderr: "it is no key" });
});

test("a program that reads its input gets all of it", async () => {
  const { stdout } = await run(context, "wc", ["--bytes"], { input: LONG });
  expect(stdout.trim()).toBe(String(LONG.length));
});
