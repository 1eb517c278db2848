import { faultsOf } from "./given";

test("an upload needs a rehearsal, a bucket and a key, and says so before any work", () => {
  expect(faultsOf({ upload: "true", rehearse: "false" })).toEqual([
    "upload: only what was rehearsed is published, and rehearse is false",
    "bucket: upload is true, and neither it nor IDRIVE_BUCKET is set",
    "upload: there is no key for the bucket: set IDRIVE_ACCESS_KEY and IDRIVE_SECRET_KEY in the environment, or AWS's",
  ]);
  const seed = { IDRIVE_BUCKET: "provisioning", IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "secret" };
  expect(faultsOf({ upload: "true" }, [], seed)).toEqual([]);
  expect(faultsOf({ upload: "true" }, [], { ...seed, IDRIVE_BUCKET: "No Bucket" })).toEqual([
    expect.stringContaining("bucket: not a bucket's name"),
  ]);
});

test.each([
  [{ IDRIVE_ACCESS_KEY: "key" }, "IDRIVE_ACCESS_KEY is set in the environment, IDRIVE_SECRET_KEY is not"],
  [{ IDRIVE_SECRET_KEY: "secret" }, "IDRIVE_SECRET_KEY is set in the environment, IDRIVE_ACCESS_KEY is not"],
  [{ AWS_ACCESS_KEY_ID: "key" }, "AWS_ACCESS_KEY_ID is set in the environment, AWS_SECRET_ACCESS_KEY is not"],
  [
    { IDRIVE_ACCESS_KEY: "key", AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
    "IDRIVE_ACCESS_KEY is set in the environment, IDRIVE_SECRET_KEY is not",
  ],
])("half a key pair is refused before any work: %j", (env, fault) => {
  expect(faultsOf({ upload: "true", bucket: "provisioning" }, [], env)).toEqual([`upload: ${fault}`]);
});

test.each([
  [
    { IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "hunter2\n" },
    "IDRIVE_SECRET_KEY of the environment has a line break at its end",
  ],
  [
    { AWS_ACCESS_KEY_ID: " key", AWS_SECRET_ACCESS_KEY: "hunter2" },
    "AWS_ACCESS_KEY_ID of the environment has a blank at its beginning",
  ],
  [
    { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "hunter2\u200b" },
    "AWS_SECRET_ACCESS_KEY of the environment has a character that no key has",
  ],
  [
    { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "hunter2", AWS_SESSION_TOKEN: "to\nken" },
    "AWS_SESSION_TOKEN of the environment has a line break",
  ],
])(
  "a key with what comes along when it is copied is found before any work, and not told: %#",
  (env, fault) => {
    const found = faultsOf({ upload: "true", bucket: "provisioning" }, [], env);
    expect(found).toEqual([`upload: ${fault}: set it anew, without`]);
  },
);

test("the key of the pair that does not count may be anything", () => {
  const env = { IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "secret", AWS_SECRET_ACCESS_KEY: "a b\n" };
  expect(faultsOf({ upload: "true", bucket: "provisioning" }, [], env)).toEqual([]);
});

test("who uploads nothing may have odd variables of other tools; who does is told which", () => {
  const env = {
    AWS_ENDPOINT_URL: "no url",
    AWS_REGION: "No Region",
    IDRIVE_ACCESS_KEY: "key",
    IDRIVE_SECRET_KEY: "secret",
  };
  expect(faultsOf({}, [], env)).toEqual([]);
  const upload = { upload: "true", bucket: "provisioning" };
  expect(faultsOf(upload, [], env)).toEqual([
    "endpoint: neither a host nor a URL, and it comes from AWS_ENDPOINT_URL of the environment",
    "region: not a region, and it comes from AWS_REGION of the environment",
  ]);
  expect(faultsOf({ ...upload, region: "us-west-1", endpoint: "s3.example" }, [], env)).toEqual([]);
});
