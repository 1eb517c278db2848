import { checkConfig } from "../../../stack/config";
import { enough, faultsOf, toldOf } from "./given";

test("a value that is set as a secret is refused, since no key here keeps one", () => {
  expect(faultsOf({}, ["minipcMac"])).toEqual([
    "minipcMac: it is set as a secret, and would be shown in plain: no key here takes one",
  ]);
});

test("what is wrong with a value that is set as a secret does not quote it", () => {
  const given = { acceptWarnings: "hunter2", kernelArgs: "console=hunter2", minipcMac: "hunter2" };
  expect(toldOf(given, Object.keys(given))).not.toContain("hunter2");
});

test("a secret value is not shown, nor a password in a URL", () => {
  expect(() => checkConfig({ ...enough, isoUrl: "https://me:hunter2@example.org/x" }, "lab")).toThrow(
    /isoUrl = "https:\/\/\[secret\]@example.org\/x"/,
  );
  expect(() => checkConfig({ ...enough, endpoint: "hunter2 hunter2" }, "lab", ["endpoint"])).toThrow(
    /endpoint = "\[secret\]"/,
  );
});
