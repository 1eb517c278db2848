import { rmSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../steps/registry/manifest";
import { zstd } from "../registry";
import { except, ImageSteps } from "./image-steps";

const steps = new ImageSteps();
const { asking, filling, resolved, filled, refused, served, pulled } = steps;

test("of an index the image for amd64 counts, and by the index's digest it is served too", async () => {
  const name = "ghcr.io/siderolabs/multi";
  const amd64 = await steps.maker.push(`${name}:amd64`, ["for amd64"]);
  const arm64 = await steps.maker.push(`${name}:arm64`, ["for arm64"], "arm64");
  const index = await steps.maker.pushIndex(`${name}:v1`, amd64, arm64);
  const { images } = await resolved(`${name}:v1`, `${name}:v1@${index}`);
  expect(images.map(({ digest }) => digest)).toEqual([amd64.digest, amd64.digest]);
  expect(images.map((image) => image.indexes)).toEqual([undefined, [index]]);
  const { layer } = await filled(images);
  await served(layer, (address) => pulled(`${address}/${name}@${index}`).then(() => undefined));
  const only = `${name}:arm64@${arm64.digest}`;
  const { images: alone } = await resolved(only);
  rmSync(join(steps.place, "layers"), { recursive: true });
  await refused("images", filling(alone), `fetching the image ${only}`, "it is for arm64");
  // It is there by now.
  await refused("images", filling(alone), `fetching the image ${only}`, "it is for arm64");
});

test("an index may name an index, and what of it is for no platform is passed over", async () => {
  const name = "ghcr.io/siderolabs/nested";
  const amd64 = await steps.maker.push(`${name}:amd64`, ["for amd64, in zstd"], "amd64", zstd);
  const arm64 = await steps.maker.push(`${name}:arm64`, ["for arm64"], "arm64");
  const proof = await steps.maker.push(`${name}:proof`, ["what is attested"], "unknown");
  const [of, index] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
  ];
  const entry = ({ digest, size }: { digest: string; size: number }, os: string, architecture: string) => ({
    ...{ mediaType: of, digest, size, platform: { os, architecture } },
  });
  const others = await steps.maker.pushIndexOf(`${name}:others`, [entry(arm64, "linux", "arm64")]);
  const inner = await steps.maker.pushIndexOf(`${name}:inner`, [
    entry(proof, "unknown", "unknown"),
    entry(amd64, "linux", "amd64"),
  ]);
  const below = [others, inner].map((digest) => ({ mediaType: index, digest, size: 500 }));
  const top = await steps.maker.pushIndexOf(`${name}:v1`, below);
  const { images } = await resolved(`${name}:v1`, `${name}@${top}`);
  expect(images.map(({ digest, indexes }) => ({ digest, indexes }))).toEqual([
    { digest: amd64.digest, indexes: undefined },
    { digest: amd64.digest, indexes: [top, inner] },
  ]);
  steps.proxy.requests.length = 0;
  const { layer } = await filled(images);
  expect(steps.proxy.requests.filter((each) => each.includes(proof.layers[0]!))).toEqual([]);
  await served(layer, async (address) => {
    await pulled(`${address}/${name}:v1`);
    const accept = `${index}, ${of}`;
    for (const digest of [top, inner, amd64.digest]) {
      const answer = await fetch(`http://${address}/v2/${name}/manifests/${digest}`, { headers: { accept } });
      expect(digestOf(Buffer.from(await answer.arrayBuffer()))).toBe(digest);
    }
  });
  await refused("image-digests", asking([`${name}:others`]), "it has no image for linux/amd64");
});

test("a manifest that no node takes, or no mirror can serve, is one line", async () => {
  const name = "ghcr.io/siderolabs/odd";
  const odd = await steps.maker.push(`${name}:plain`, ["plain"]);
  const answer = (manifest: object) =>
    except(/^GET .*manifests/, 1, (_, response) => response.end(JSON.stringify(manifest)));
  const layer = {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
    digest: odd.layers[0]!,
    size: 9,
  };
  const [config] = [{ mediaType: "application/vnd.oci.image.config.v1+json", digest: odd.config, size: 9 }];
  const foreign = { ...layer, urls: ["https://vendor.test/layer"] };
  steps.proxy.meddle = answer({ schemaVersion: 2, config, layers: [foreign] });
  await refused(
    "image-digests",
    asking([`${name}:foreign`]),
    "https://vendor.test",
    "and not from its registry",
  );
  steps.proxy.meddle = answer({ schemaVersion: 1, name: "odd", tag: "old", fsLayers: [], history: [] });
  await refused("image-digests", asking([`${name}:old`]), "Docker's schema 1");
});

test("what is not there, or is for another architecture, is one line", async () => {
  await refused(
    "image-digests",
    asking(["ghcr.io/siderolabs/none:v1"]),
    "ghcr.io/siderolabs/none:v1",
    "(404)",
  );
  await refused(
    "image-digests",
    asking(["ghcr.io/Upper:v1"]),
    "ghcr.io/Upper:v1 is no reference to an image",
  );
});
