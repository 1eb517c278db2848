import { keylessWords, sopsFormOf, sopsWords } from "../../steps/programs/sops-file";

test.each([
  ["YAML", "machine: ENC[AES256_GCM,data:x]\nsops:\n    version: 3.11.0\n", "yaml"],
  ["JSON on one line", '{"machine":{},"sops":{"version":"3.11.0"}}', "yaml"],
  ["binary", '{\n\t"data": "ENC[AES256_GCM,data:x]",\n\t"sops": {"version": "3.11.0"}\n}', "binary"],
  ["YAML whose one key is data", "data: {token: ENC[x]}\nsops: {version: 3.11.0}\n", "yaml"],
  ["the marks of a merge", "<<<<<<< HEAD\na: b\n=======\na: c\n>>>>>>> other\nsops:\n    mac: x\n", "yaml"],
])("%s by sops", (_what, text, form) => {
  expect(sopsFormOf(text)).toBe(form);
});

test.each([
  ["a plain config", "machine: {}\n"],
  [
    "a config that mentions sops further in",
    "machine:\n  files:\n    - content: |\n        sops: x\n  sops: 1\n",
  ],
  ["text", "hello"],
  ["no YAML", "a: [\n"],
  ["nothing", ""],
])("%s is not by sops", (_what, text) => {
  expect(sopsFormOf(text)).toBeUndefined();
});

test("the reasons for a missing key come out of sops's box, without the places where it looked", () => {
  const said = `Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  age1gvjz: FAILED
    - | failed to load age identities. Errors while loading age
      | identities: unknown identity type. Did not find keys in
      | locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE'.
  age1other: FAILED
    - | incorrect identity for recipient block

Recovery failed because no master key was able to decrypt the file.`;
  expect(keylessWords(said)).toBe(
    "failed to load age identities. Errors while loading age identities: unknown identity type; incorrect identity for recipient block",
  );
});

test("a value that sops quotes is left out", () => {
  expect(
    sopsWords("Could not decrypt value: Input string hunter2\n  x does not match sops' data format\n"),
  ).toBe("Could not decrypt value: Input string (left out) does not match sops' data format");
});
