import { readManifest } from "../../../steps/registry/manifest";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const entry = (digit: string, more: object = {}) => ({ digest: digest(digit), size: 1, ...more });
const on = (architecture: string, variant?: string, os = "linux") => ({
  platform: { os, architecture, variant },
});
const read = (manifest: object) => readManifest(Buffer.from(JSON.stringify(manifest)));
const config = entry("c");

test.each([
  ["the one for linux/amd64", [entry("a", on("arm64")), entry("b", on("amd64"))], ["b"]],
  ["the one that wants no newer CPU", [entry("a", on("amd64", "v3")), entry("b", on("amd64", "v1"))], ["b"]],
  ["one for a newer CPU, where it is alone", [entry("a", on("amd64", "v3"))], ["a"]],
  ["nothing of another system", [entry("a", on("amd64", undefined, "windows"))], []],
  ["nothing that is for no platform", [entry("a", on("unknown", undefined, "unknown"))], []],
  [
    "those that say no platform, in their order",
    [entry("a"), entry("b"), entry("d", on("arm64"))],
    ["a", "b"],
  ],
  [
    "no attestation and no artifact",
    [
      entry("a", { annotations: { "vnd.docker.reference.type": "attestation-manifest" } }),
      entry("b", { artifactType: "application/spdx+json" }),
    ],
    [],
  ],
  ["none of those where one says linux/amd64", [entry("a"), entry("b", on("amd64"))], ["b"]],
])("of an index counts %s", (_, manifests, digits) => {
  expect(read({ schemaVersion: 2, manifests })).toEqual({ candidates: digits.map(digest) });
});

test("an image's blobs are told once each, whatever compresses them", () => {
  const layer = entry("a", { mediaType: "application/vnd.oci.image.layer.v1.tar+zstd" });
  expect(read({ schemaVersion: 2, config, layers: [layer, layer] })).toEqual({
    image: [config, { digest: digest("a"), size: 1 }],
  });
});

test.each([
  [
    { schemaVersion: 2, config, layers: [entry("a", { urls: ["https://vendor.test/a"] })] },
    /comes from https:\/\/vendor\.test/,
  ],
  [{ schemaVersion: 1, fsLayers: [{ blobSum: digest("a") }], history: [] }, /schema 1/],
  [{ schemaVersion: 2 }, /none that a Talos node could use/],
  [{ schemaVersion: 2, config: { digest: "md5:1", size: 1 }, layers: [] }, /none that a Talos node/],
])("what no mirror can serve is said, with what to do", (manifest, fault) => {
  expect(read(manifest)).toEqual({
    fault: expect.stringMatching(fault) as string,
    help: expect.stringMatching(/\w/) as string,
  });
});
