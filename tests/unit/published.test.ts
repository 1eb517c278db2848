import { checkConfig } from "../../stack/config";
import { artifactOf, checksumList, objectFolder, objectManifest } from "../../components/published";
import { bucketFrom, hasCredentials, providerArgs } from "../../stack/bucket";

const config = checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" }, "lab", [], {});
const image = {
  path: "artifacts/bootstrap/2025-12-17/bootstrap-pxe.raw",
  sha256: "ab".repeat(32),
  bytes: 700,
};
const compressed = { path: `${image.path}.gz`, sha256: "cd".repeat(32), bytes: 200 };
const rehearsal = {
  timeline: "artifacts/rehearsal/timeline.html",
  accelerator: "kvm" as const,
  seconds: 20,
  steps: [{ step: "the appliance starts from its disk", at: 1, took: 1 }],
  proved: ["another MAC gets no offer"],
};

test("the artifact is the compressed image where there is one", () => {
  expect(artifactOf({ image }).name).toBe("bootstrap-pxe.raw");
  expect(artifactOf({ image, compressed })).toEqual({ ...compressed, name: "bootstrap-pxe.raw.gz" });
  expect(objectFolder(config)).toBe("bootstrap/2025-12-17");
  expect(objectFolder({ ...config, artifactName: "nuc2" })).toBe("bootstrap/2025-12-17/nuc2");
});

test("the checksums have the file that is there, and what it unpacks to", () => {
  expect(checksumList({ image })).toBe(`${image.sha256}  bootstrap-pxe.raw\n`);
  expect(checksumList({ image, compressed })).toBe(
    `${image.sha256}  bootstrap-pxe.raw\n${compressed.sha256}  bootstrap-pxe.raw.gz\n`,
  );
});

test("the manifest has versions, digests, sizes, the mini-PC and what was rehearsed", () => {
  expect(objectManifest(config, { image, compressed, rehearsal })).toMatchSnapshot();
});

test("the manifest of an offline stack lists the images that the appliance serves, by digest", () => {
  const digest = `sha256:${"ef".repeat(32)}`;
  const pause = {
    reference: "registry.k8s.io/pause:3.10",
    repository: "registry.k8s.io/pause",
    tag: "3.10",
    digest,
  };
  const manifest = objectManifest(config, { image, images: [{ ...pause, bytes: 1 }], rehearsal });
  expect(JSON.parse(manifest)).toMatchObject({ servedImages: [{ reference: pause.reference, digest }] });
});

describe("the bucket's names in the environment", () => {
  test("IDRIVE's variables win over AWS's, and the config wins over both", () => {
    const env = {
      IDRIVE_BUCKET: "provisioning",
      IDRIVE_ENDPOINT: "s3.us-west-1.idrivee2.com",
      IDRIVE_REGION: "us-west-1",
      AWS_REGION: "eu-central-1",
      AWS_ENDPOINT_URL: "https://elsewhere.example",
    };
    expect(bucketFrom(env)).toEqual({
      bucket: "provisioning",
      endpoint: "s3.us-west-1.idrivee2.com",
      region: "us-west-1",
    });
    const given = { bootstrapVersion: "1", minipcMac: "00:11:22:33:44:66", region: "us-east-2", bucket: "" };
    const keys = { IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "secret" };
    expect(checkConfig({ ...given, upload: "true" }, "lab", [], { ...env, ...keys })).toMatchObject({
      bucket: "provisioning",
      region: "us-east-2",
    });
  });

  test("AWS's variables are enough", () => {
    expect(
      bucketFrom({ AWS_DEFAULT_REGION: "eu-central-1", AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9000" }),
    ).toEqual({ region: "eu-central-1", endpoint: "http://127.0.0.1:9000" });
  });
});

describe("the provider", () => {
  const secrets = { IDRIVE_ACCESS_KEY: "the-key", IDRIVE_SECRET_KEY: "the-secret" };

  test("has no key among its arguments: they go into the state", () => {
    const text = JSON.stringify(providerArgs(config, secrets));
    expect(text).not.toMatch(/the-key|the-secret/);
    expect(text).toContain("tools/s3/config");
  });

  test("a server that is not AWS's is asked for nothing that only AWS has", () => {
    expect(providerArgs({ endpoint: "http://127.0.0.1:9000", region: "us-west-1" }, secrets)).toEqual({
      region: "us-west-1",
      endpoints: [{ s3: "http://127.0.0.1:9000" }],
      s3UsePathStyle: true,
      profile: "bootstrap-pxe",
      sharedConfigFiles: ["tools/s3/config"],
      skipCredentialsValidation: true,
      skipMetadataApiCheck: true,
      skipRegionValidation: true,
      skipRequestingAccountId: true,
    });
    expect(providerArgs({}, {})).toEqual({
      region: "us-east-1",
      skipCredentialsValidation: true,
      skipMetadataApiCheck: true,
      skipRegionValidation: true,
    });
  });

  test("a host is reached by HTTPS, a URL as it is written", () => {
    const endpoint = (value: string) => providerArgs({ ...config, endpoint: value }, {}).endpoints;
    expect(endpoint("s3.example")).toEqual([{ s3: "https://s3.example" }]);
    expect(endpoint("http://127.0.0.1:9000")).toEqual([{ s3: "http://127.0.0.1:9000" }]);
  });

  test("what AWS's own tools keep is left to them", () => {
    expect(providerArgs(config, { AWS_PROFILE: "mine" })).not.toHaveProperty("profile");
    expect(providerArgs(config, {})).toMatchObject({ region: "us-east-1" });
  });

  test("no key anywhere is seen", () => {
    expect(hasCredentials({ HOME: "/nowhere" })).toBe(false);
    expect(hasCredentials({ HOME: "/nowhere", ...secrets })).toBe(true);
    expect(hasCredentials({ HOME: "/nowhere", AWS_PROFILE: "mine" })).toBe(true);
  });
});
