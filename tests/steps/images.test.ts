import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServedImage } from "../../steps/contracts/image";
import { digestOf } from "../../steps/registry/manifest";
import {
  homeWithMirrors,
  ImageMaker,
  startFaultyProxy,
  startRegistry,
  zstd,
  type FaultyProxy,
  type Meddling,
  type Registry,
} from "../registry";
import { onSmallDisk } from "../small-disk";
import { inToolEnvironment, sha256Of, tool, toolEnvironment } from "../tools";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
const HOSTS = ["ghcr.io", "registry.k8s.io"];
const KUBELET = "ghcr.io/siderolabs/kubelet:v1.34.1";
const PROXY = "registry.k8s.io/kube-proxy:v1.34.1";
/** Two layers: one of its own, which takes a while, and one that both images have. */
const [OWN, SHARED] = [randomBytes(3 << 20), "shared by both"];

let upstream: Registry;
let proxy: FaultyProxy;
let env: NodeJS.ProcessEnv;
let maker: ImageMaker;
let kubelet: Awaited<ReturnType<ImageMaker["push"]>>;
let place: string;
let number = 0;

beforeAll(async () => {
  upstream = await startRegistry(join(folder, "upstream"));
  proxy = await startFaultyProxy(upstream.address);
  env = {
    ...homeWithMirrors(join(folder, "home"), proxy.address, HOSTS),
    BOOTSTRAP_PXE_RETRY_SECONDS: "0.1",
  };
  maker = new ImageMaker(folder, upstream);
  kubelet = await maker.push(KUBELET, [OWN, SHARED]);
  await maker.push(PROXY, ["the proxy", SHARED]);
});
afterAll(() => Promise.all([proxy.stop(), upstream.stop()]));
beforeEach(() => {
  place = join(folder, `case-${++number}`);
  mkdirSync(place);
  proxy.meddle = () => false;
  proxy.requests.length = 0;
});

const asking = (images: string[], more: object = {}) => ({
  ...{ images, lockFile: join(place, "lock.json"), recordFile: join(place, "local.json") },
  store: join(place, "store"),
  ...more,
});
const filling = (images: ServedImage[], more: object = {}) => ({
  ...{ key: "k", path: join(place, "layers/k/images.squashfs"), store: join(place, "store"), images },
  ...more,
});

async function resolved(...references: string[]) {
  const { manifest, said } = await runStep("image-digests", asking(references), env);
  expect({ made: manifest !== undefined, said: manifest ? "" : said }).toEqual({ made: true, said: "" });
  expect(said.split("\n").filter((line) => line.includes("asking"))).toEqual([]);
  return manifest as unknown as { images: ServedImage[]; warnings: string[] };
}

/** Fills a layer, which has to work. */
async function filled(images: ServedImage[], more: object = {}) {
  const { manifest, said } = await runStep("images", filling(images, more), env);
  expect({ made: manifest !== undefined, said: manifest ? "" : said }).toEqual({ made: true, said: "" });
  return { layer: (manifest as { path: string }).path, said };
}

/** One line, no layer, and nothing that a later run takes for one. */
async function refused(step: "images" | "image-digests", input: object, ...words: string[]) {
  const { manifest, said } = await runStep(step, input, env);
  expect(manifest).toBeUndefined();
  const last = said.trim().split("\n").at(-1)!;
  for (const word of words) expect(last).toContain(word);
  expect(
    said
      .trim()
      .split("\n")
      .filter((line) => line.startsWith(`${step}: `)),
  ).toHaveLength(1);
  if (step === "images") expect(existsSync(join(place, "layers/k/images.squashfs"))).toBe(false);
  return last;
}

/** Passes everything on but requests of one kind. */
const except =
  (pattern: RegExp, times: number, meddle: (...given: Parameters<Meddling>) => unknown): Meddling =>
  (request, response) => {
    if (!pattern.test(`${request.method} ${request.url}`) || times-- <= 0) return false;
    meddle(request, response);
    return true;
  };

const ofBlob = (digest: string) => new RegExp(`^GET .*/blobs/${digest}`);
const fetchedBlobs = (digest: string) => proxy.requests.filter((each) => ofBlob(digest).test(each)).length;

/** Serves a layer as the appliance does, and does something with it. */
async function served(layer: string, use: (address: string) => Promise<void>) {
  const root = join(place, `unpacked-${++number}`);
  await tool("unsquashfs", ["-quiet", "-no-progress", "-dest", root, layer]);
  const registry = await startRegistry(root, true);
  await use(registry.address).finally(registry.stop);
  return JSON.parse(readFileSync(join(root, "images.json"), "utf8")) as { images: ServedImage[] };
}

/** Pulls an image, which compares every blob with its digest. */
async function pulled(from: string) {
  const to = `dir:${join(place, `pulled-${++number}`)}`;
  return tool("skopeo", ["copy", "--quiet", "--src-tls-verify=false", `docker://${from}`, to]);
}

test("what is filled is served by docker-registry as it was, by tag and by digest, each blob fetched once", async () => {
  const { images } = await resolved(KUBELET, PROXY);
  expect(images[0]).toEqual({
    ...{ reference: KUBELET, repository: "ghcr.io/siderolabs/kubelet", tag: "v1.34.1" },
    ...{ digest: kubelet.digest, bytes: expect.any(Number) as number },
  });
  const { layer } = await filled(images);
  expect(fetchedBlobs(kubelet.layers[0]!)).toBe(1);
  expect(fetchedBlobs(kubelet.layers[1]!)).toBe(1);
  const list = await served(layer, async (address) => {
    for (const { repository, tag, digest } of images) {
      await pulled(`${address}/${repository}:${tag}`);
      await pulled(`${address}/${repository}@${digest}`);
    }
    // As containerd asks a mirror.
    const url = `http://${address}/v2/ghcr.io/siderolabs/kubelet/manifests/v1.34.1?ns=ghcr.io`;
    const accept = "application/vnd.oci.image.manifest.v1+json";
    const answer = await fetch(url, { headers: { accept } });
    expect(answer.headers.get("docker-content-digest")).toBe(kubelet.digest);
  });
  expect(list).toEqual({ images });
});

test("the layer holds its own set and nothing else, and the same set gives the same bytes", async () => {
  const { images } = await resolved(KUBELET, PROXY);
  const { layer: both } = await filled(images);
  const one = [images[1]!];
  const { layer } = await filled(one, { key: "one", path: join(place, "layers/one/images.squashfs") });
  expect(await tool("unsquashfs", ["-ls", layer])).not.toContain("kubelet");
  const before = sha256Of(readFileSync(both));
  rmSync(join(place, "store"), { recursive: true });
  rmSync(dirname(both), { recursive: true });
  const { layer: again } = await filled(images);
  expect(sha256Of(readFileSync(again))).toBe(before);
  proxy.requests.length = 0;
  await filled(images);
  expect(proxy.requests).toEqual([]);
});

test("of an index the image for amd64 counts, and by the index's digest it is served too", async () => {
  const name = "ghcr.io/siderolabs/multi";
  const amd64 = await maker.push(`${name}:amd64`, ["for amd64"]);
  const arm64 = await maker.push(`${name}:arm64`, ["for arm64"], "arm64");
  const index = await maker.pushIndex(`${name}:v1`, amd64, arm64);
  const { images } = await resolved(`${name}:v1`, `${name}:v1@${index}`);
  expect(images.map(({ digest }) => digest)).toEqual([amd64.digest, amd64.digest]);
  expect(images.map((image) => image.indexes)).toEqual([undefined, [index]]);
  const { layer } = await filled(images);
  await served(layer, (address) => pulled(`${address}/${name}@${index}`).then(() => undefined));
  const only = `${name}:arm64@${arm64.digest}`;
  const { images: alone } = await resolved(only);
  rmSync(join(place, "layers"), { recursive: true });
  await refused("images", filling(alone), `fetching the image ${only}`, "it is for arm64");
  // It is there by now.
  await refused("images", filling(alone), `fetching the image ${only}`, "it is for arm64");
});

test("an index may name an index, and what of it is for no platform is passed over", async () => {
  const name = "ghcr.io/siderolabs/nested";
  const amd64 = await maker.push(`${name}:amd64`, ["for amd64, in zstd"], "amd64", zstd);
  const arm64 = await maker.push(`${name}:arm64`, ["for arm64"], "arm64");
  const proof = await maker.push(`${name}:proof`, ["what is attested"], "unknown");
  const [of, index] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
  ];
  const entry = ({ digest, size }: { digest: string; size: number }, os: string, architecture: string) => ({
    ...{ mediaType: of, digest, size, platform: { os, architecture } },
  });
  const others = await maker.pushIndexOf(`${name}:others`, [entry(arm64, "linux", "arm64")]);
  const inner = await maker.pushIndexOf(`${name}:inner`, [
    entry(proof, "unknown", "unknown"),
    entry(amd64, "linux", "amd64"),
  ]);
  const below = [others, inner].map((digest) => ({ mediaType: index, digest, size: 500 }));
  const top = await maker.pushIndexOf(`${name}:v1`, below);
  const { images } = await resolved(`${name}:v1`, `${name}@${top}`);
  expect(images.map(({ digest, indexes }) => ({ digest, indexes }))).toEqual([
    { digest: amd64.digest, indexes: undefined },
    { digest: amd64.digest, indexes: [top, inner] },
  ]);
  proxy.requests.length = 0;
  const { layer } = await filled(images);
  expect(proxy.requests.filter((each) => each.includes(proof.layers[0]!))).toEqual([]);
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
  const odd = await maker.push(`${name}:plain`, ["plain"]);
  const answer = (manifest: object) =>
    except(/^GET .*manifests/, 1, (_, response) => response.end(JSON.stringify(manifest)));
  const layer = {
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
    digest: odd.layers[0]!,
    size: 9,
  };
  const [config] = [{ mediaType: "application/vnd.oci.image.config.v1+json", digest: odd.config, size: 9 }];
  const foreign = { ...layer, urls: ["https://vendor.test/layer"] };
  proxy.meddle = answer({ schemaVersion: 2, config, layers: [foreign] });
  await refused(
    "image-digests",
    asking([`${name}:foreign`]),
    "https://vendor.test",
    "and not from its registry",
  );
  proxy.meddle = answer({ schemaVersion: 1, name: "odd", tag: "old", fsLayers: [], history: [] });
  await refused("image-digests", asking([`${name}:old`]), "Docker's schema 1");
});

test("a tag that moved is said, and the recorded digest is taken", async () => {
  const name = "ghcr.io/siderolabs/moving:v1";
  const first = await maker.push(name, ["first"]);
  expect((await resolved(name)).warnings).toEqual([]);
  const second = await maker.push(name, ["second"]);
  const { images, warnings } = await resolved(name);
  expect(images[0]?.digest).toBe(first.digest);
  expect(warnings).toEqual([expect.stringContaining(`has moved: it names ${second.digest} now`)]);
  await filled(images);
  rmSync(join(place, "local.json"));
  expect((await resolved(name)).images[0]?.digest).toBe(second.digest);
});

test("a digest is recorded for the place that it came from, and that of the checkout counts wherever it comes from", async () => {
  const name = "ghcr.io/siderolabs/placed:v1";
  const first = await maker.push(name, ["of the first place"]);
  await resolved(name);
  const record = () => JSON.parse(readFileSync(join(place, "local.json"), "utf8")) as object;
  expect(record()).toEqual({ [`docker://${proxy.address}/${name}`]: first.digest });
  // Another registry stands in for the same upstream.
  const other = await startRegistry(join(place, "other"));
  const own = env;
  try {
    env = { ...env, ...homeWithMirrors(join(place, "home"), other.address, HOSTS) };
    const second = await new ImageMaker(place, other).push(name, ["of the second place"]);
    const { images, warnings } = await resolved(name);
    expect({ digest: images[0]?.digest, warnings }).toEqual({ digest: second.digest, warnings: [] });
    expect(record()).toEqual({
      [`docker://${proxy.address}/${name}`]: first.digest,
      [`docker://${other.address}/${name}`]: second.digest,
    });
    rmSync(join(place, "store"), { recursive: true });
    writeFileSync(join(place, "lock.json"), JSON.stringify({ [`docker://${name}`]: first.digest }));
    await refused(
      "image-digests",
      asking([name]),
      `the tag of ${name} has moved: it names ${second.digest} now, and ${join(place, "lock.json")} has ${first.digest}`,
      `which ${other.address}/${name} does not have. To take the new one, remove the line of docker://${name} from`,
    );
  } finally {
    env = own;
    await other.stop();
  }
  expect((await resolved(name)).images[0]?.digest).toBe(first.digest);
});

test("what was recorded and fetched is taken where no registry answers, so that an image can be made anew", async () => {
  const { images } = await resolved(KUBELET);
  await filled(images);
  rmSync(join(place, "layers"), { recursive: true });
  proxy.meddle = (_, response) => {
    response.destroy();
    return true;
  };
  const { manifest, said } = await runStep("image-digests", asking([KUBELET]), env);
  expect(manifest).toMatchObject({ images });
  expect(said).toContain("since its registry does not answer");
  await filled(images);
  await refused("image-digests", asking([PROXY]), PROXY);
});

test("credentials come from the user's own auth file, and are told nowhere", async () => {
  const [user, password] = ["somebody", "of-the-registry"];
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  proxy.meddle = (request, response) => {
    if (request.headers.authorization === `Basic ${auth}`) return false;
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' });
    response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }));
    return true;
  };
  await refused(
    "image-digests",
    asking([KUBELET]),
    `asking for the image ${KUBELET}`,
    "(401)",
    "skopeo login",
  );
  const file = join(place, "auth.json");
  writeFileSync(file, JSON.stringify({ auths: { [proxy.address]: { auth } } }));
  const withAuth = { ...env, REGISTRY_AUTH_FILE: file };
  const { manifest, said } = await runStep("image-digests", asking([KUBELET]), withAuth);
  const { images } = manifest as unknown as { images: ServedImage[] };
  const fill = await runStep("images", filling(images), withAuth);
  expect(fill.manifest).toBeDefined();
  for (const text of [said, fill.said, JSON.stringify(fill.manifest)]) expect(text).not.toContain(password);
});

test("a credential helper is given what it reads of the environment, and no passphrase and no key of sops", async () => {
  const [bin, said] = [join(place, "bin"), join(place, "helper-env")];
  const config = join(place, "auth.json");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "docker-credential-said"),
    `#!/bin/sh\nenv >${said}\ncat >/dev/null\necho '{"Username":"u","Secret":"s"}'\n`,
    { mode: 0o755 },
  );
  writeFileSync(config, JSON.stringify({ credHelpers: { [proxy.address]: "said" } }));
  const secrets = { AWS_SECRET_ACCESS_KEY: "a", GOOGLE_APPLICATION_CREDENTIALS: "/g", GITHUB_TOKEN: "t" };
  const kept = { PULUMI_CONFIG_PASSPHRASE: "p", SOPS_AGE_KEY: "k", IDRIVE_SECRET_KEY: "i" };
  const asked = {
    ...env,
    ...secrets,
    ...kept,
    REGISTRY_AUTH_FILE: config,
    PATH: `${bin}:${toolEnvironment.PATH}`,
  };
  const { images } = await resolved(KUBELET);
  const { manifest } = await runStep("images", filling(images), asked);
  expect(manifest).toBeDefined();
  const given = readFileSync(said, "utf8").split("\n");
  for (const [name, value] of Object.entries(secrets)) expect(given).toContain(`${name}=${value}`);
  for (const name of Object.keys(kept)) expect(given.join()).not.toContain(name);
});

test("a registry that wants fewer requests is waited for as long as it says, and not without end", async () => {
  const slower: Meddling = (_, response) => {
    response.writeHead(429, { "retry-after": "1" }).end();
    return true;
  };
  proxy.meddle = except(/manifests/, 1, slower);
  const { images } = await resolved(KUBELET);
  proxy.meddle = except(ofBlob(kubelet.layers[0]!), 1, slower);
  await filled(images);
  proxy.meddle = except(/manifests/, Infinity, slower);
  await refused("image-digests", asking([PROXY]), PROXY, "(429)");
});

test("a connection that dies in mid-blob is tried again, and what came whole before is kept", async () => {
  const { images } = await resolved(KUBELET);
  const half: Meddling = (_, response) => {
    response.writeHead(200, { "content-length": OWN.length });
    return response.write(OWN.subarray(0, 1 << 20), () => response.destroy());
  };
  proxy.meddle = except(ofBlob(kubelet.layers[0]!), Infinity, half);
  await refused("images", filling(images), `fetching the image ${KUBELET}`, "Run the same again");
  proxy.meddle = except(ofBlob(kubelet.layers[0]!), 1, half);
  const shared = fetchedBlobs(kubelet.layers[1]!);
  await filled(images);
  expect(fetchedBlobs(kubelet.layers[1]!)).toBe(shared);
});

test("a blob with another digest than it should have is refused, and nothing of it is kept", async () => {
  const { images } = await resolved(KUBELET);
  const wrong = Buffer.alloc(statSync(blobFile("upstream", kubelet.layers[0]!)).size, "x");
  proxy.meddle = except(ofBlob(kubelet.layers[0]!), Infinity, (_, response) =>
    response.writeHead(200, { "content-length": wrong.length }).end(wrong),
  );
  await refused("images", filling(images), KUBELET, "another digest than it should");
  proxy.meddle = () => false;
  await filled(images);
});

test("a blob that goes bad in the store is found when it is packed, and fetched anew by the next run", async () => {
  const { images } = await resolved(KUBELET);
  await filled(images);
  const blob = blobFile(join(`case-${number}`, "store"), kubelet.layers[0]!);
  writeFileSync(blob, Buffer.alloc(statSync(blob).size, "x"));
  rmSync(join(place, "layers"), { recursive: true });
  await refused("images", filling(images), kubelet.layers[0]!, "is damaged");
  await filled(images);
});

test.each([
  ["before it is filled", 2 << 10, /writing to .*store: it needs about \d+ MiB, and its disk has \d MiB/],
  // Room for the blobs alone, and none for what a registry keeps beside them.
  [
    "while it is filled",
    (OWN.length >> 10) + 8,
    /writing to .*store: its disk is full, 0 MiB of 3 MiB are free/,
  ],
])("a full disk is said %s", async (_, kib, words) => {
  const { images } = await resolved(KUBELET);
  const store = join(place, "full/store");
  const command = onSmallDisk(kib, join(place, "full"), ["steps/run", "images"]);
  const input = JSON.stringify(filling(images, { store }));
  const { exitCode, stderr } = await inToolEnvironment(...command, { input, env });
  const said = stderr.trim().split("\n");
  expect({ exitCode, last: said.at(-1) }).toEqual({
    exitCode: 1,
    last: expect.stringMatching(words) as string,
  });
  expect(said.filter((line) => line.includes("trying again"))).toEqual([]);
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

const blobFile = (store: string, digest: string) => {
  const hex = digest.slice("sha256:".length);
  return join(folder, store, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
};
