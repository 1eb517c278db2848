import { whyRefused } from "../../tools/plugins/s3-faults.cjs";

const provider = { maxAttempts: 3 };
const refused = (name: string, httpStatusCode: number, attempts = 1) =>
  Object.assign(new Error("words of the server"), { name, $metadata: { httpStatusCode, attempts } });

test.each([
  ["write", "s3:PutObject, s3:AbortMultipartUpload"],
  ["read", "s3:GetObject, s3:ListBucket"],
  ["delete", "s3:DeleteObject"],
] as const)("a forbidden %s names what the key has to be allowed", (operation, leave) => {
  expect(whyRefused(refused("AccessDenied", 403), operation, provider)).toMatch(
    new RegExp(`^\\(AccessDenied, 403\\): the key may not do this\\. Give it leave to .*${leave}`),
  );
});

test("someone who only reads is not asked to make a bucket", () => {
  const fault = refused("NoSuchBucket", 404);
  expect(whyRefused(fault, "write", provider)).toContain("Make it, private");
  expect(whyRefused(fault, "read", provider)).not.toContain("Make it");
});

test("an unknown fault is given in its own words, with what to do", () => {
  expect(whyRefused(refused("SlowDown", 503, 3), "write", provider)).toBe(
    "words of the server (SlowDown, 503 after 3 of 3 tries): run the same again",
  );
});

test("what cannot be read of a server in trouble is not taken for another kind of server", () => {
  expect(whyRefused(refused("Unknown", 503), "write", provider)).toBe(
    "words of the server (503): run the same again",
  );
});

test("the words of a fault are on one line", () => {
  const fault = new Error("AWS says:\n  two lines");
  expect(whyRefused(fault, "read", provider)).toBe("AWS says: two lines (): run the same again");
});

test("an expired certificate is told with this machine's time, which may be what is wrong", () => {
  const fault = Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" });
  expect(whyRefused(fault, "read", provider)).toMatch(
    /not valid at \d{4}-\d\d-\d\dT[\d:]+Z, which is this machine's time/,
  );
});
