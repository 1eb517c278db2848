import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { RehearsalRecord } from "../../rehearsal/record";
import { PLAIN_SCHEMATIC } from "../../stack/image-factory";
import { Checkout } from "../checkout";
import { demo } from "../e2e/demo";
import { expectCapture, expectGood, expectNoSecret, expectScreens } from "../e2e/evidence";
import { CHAIN } from "../e2e/whole-chain";
import { factoryIsoOf } from "../iso-parts";
import { S3Server } from "../s3-server";
import { sha256Of, tool } from "../tools";
import { upEndsWell } from "./aftermath";
import { demoImages, Upstream } from "./upstream";

const IMAGES = demoImages(demo.talosVersion);
const COUNT = IMAGES.length;
const COREDNS = IMAGES.find((reference) => reference.includes("coredns"))!;
const HOSTS = ["gcr.io", "ghcr.io", "registry.k8s.io"];
/** What a mini-PC without a way out shows. */
const OFFLINE_CHAIN = [...CHAIN, "images"];
const OFFLINE_PROOFS = ["images-alone", "other-mac", "pinned", "sides"];
/** What a rehearsal says while it runs. */
const IS_BOOTING = `2/${OFFLINE_CHAIN.length} next: the appliance has its address on the isolated NIC`;

let checkout: Checkout;
let upstream: Upstream;
const image = () => checkout.path("artifacts/bootstrap/demo/bootstrap-pxe.raw");

async function up(): Promise<string> {
  const { exitCode, all } = await checkout.up("lab");
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
  return all ?? "";
}

/** What a preview says in words. */
async function told(): Promise<string> {
  const { exitCode, stdout, all } = await checkout.pulumi("preview", "--stack", "lab");
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
  return stdout;
}

/** The page of the stack's rehearsal. */
async function timelineOf(): Promise<string> {
  const said = await checkout.output("lab", "rehearsal");
  return / booted from it in \d+ s, \d proofs held: (\S+\/timeline\.html)$/.exec(said)?.[1] ?? said;
}

const recordIn = (folder: string) =>
  JSON.parse(readFileSync(checkout.path(folder, "rehearsal.json"), "utf8")) as RehearsalRecord;

// One state, one test after the other. What boots is an image like the demo's, of an offline stack whose mini-PC has no way out,
// by an ISO as the Image Factory makes it: microcode first, extensions last.
beforeAll(async () => {
  checkout = new Checkout();
  const [plain, factory] = ["metal-amd64.iso", "factory.iso"].map((name) => `artifacts/demo/${name}`) as [
    string,
    string,
  ];
  await factoryIsoOf(checkout.path(plain), PLAIN_SCHEMATIC, checkout.path(factory));
  upstream = await Upstream.start(checkout.path("artifacts/upstream"), IMAGES);
  checkout.use(upstream.env);
  const noUplink = { uplink: "false", operatorNetwork: "" };
  await checkout.stack("lab", { offline: "true", ...noUplink, isoUrl: `file://${factory}` });
});
afterAll(async () => {
  await upstream?.stop();
  checkout?.remove();
});

test("an image that cannot be fetched ends up by its name; preview tells then how many images there are, how large, and which are new", async () => {
  expect(await told()).toContain(
    "Which images the appliance serves shows when up has read the machine config",
  );
  upstream.proxy.meddle = ({ method, url = "" }, response) => {
    if (method !== "GET" || !url.includes("coredns/blobs")) return false;
    response.writeHead(404).end();
    return true;
  };
  const { exitCode, all = "" } = await checkout.up("lab");
  upstream.proxy.meddle = () => false;
  expect(exitCode).not.toBe(0);
  expect(all).toContain(`fetching the image ${COREDNS}`);
  expect(existsSync(image())).toBe(false);
  const said = await told();
  // Each has the layer of 300 KiB that all share.
  expect(said).toContain(
    `The appliance serves ${COUNT} images, 3 MiB at most, since some share their layers. To be fetched:`,
  );
  expect(said).toMatch(new RegExp(`^ *${COREDNS}$`, "m"));
});

test("up again fetches the rest, and says what it serves and what the node is told", async () => {
  await up();
  expect(JSON.parse(await checkout.output("lab", "servedImages"))).toEqual(IMAGES);
  const documentsOf = async (output: string) =>
    parseAllDocuments(await checkout.output("lab", output)).map((document) => document.toJS() as object);
  const mirrors = (each: (host: string) => object) => ({
    machine: { registries: { mirrors: Object.fromEntries(HOSTS.map((host) => [host, each(host)])) } },
  });
  const endpoint = (host: string) => `http://${demo.applianceCidr.address}:5000/v2/${host}`;
  expect(await documentsOf("mirrorPatch")).toEqual([
    mirrors((host) => ({ endpoints: [endpoint(host)], overridePath: true, skipFallback: true })),
  ]);
  expect(await documentsOf("mirrorRemoval")).toEqual([mirrors(() => ({ $patch: "delete" }))]);
});

test("registries are asked again where up is told so, as after a tag that moved", async () => {
  const asksAgain = await checkout.preview("lab", "--replace", "**::images-digests");
  expect(asksAgain["images-digests"]).toBe("replace");
});

test("the image verifies, and says how many images it serves", async () => {
  const { exitCode, all } = await checkout.script("commands/verify.mjs", [image()]);
  expect(all).toMatch(/bootstrap-images, 1 MiB; bootstrap-site, 1 MiB/);
  expect(all).toContain(`It serves ${COUNT} images.`);
  expect(exitCode).toBe(0);
});

test("a rehearsal is made once for an image: the mini-PC pulls every image, which is part of the outputs", async () => {
  checkout.set("lab", { rehearse: "true" });
  expect(await checkout.preview("lab")).toMatchObject({ "rehearsal-boot": "create" });
  expect(await up()).toContain(IS_BOOTING);
  const timeline = await timelineOf();
  const folder = checkout.path(dirname(timeline));
  const record = recordIn(dirname(timeline));
  const { reached } = record;
  expectGood(record, OFFLINE_CHAIN, OFFLINE_PROOFS);
  expectScreens(record, folder, OFFLINE_CHAIN);
  expectCapture(folder);
  await expectNoSecret(folder, demo.machineConfig);
  expect(reached.at(-1)).toMatchObject({
    title: "the mini-PC has every image that it needs from the appliance",
    evidence: expect.stringMatching(new RegExp(`^its console: all ${COUNT}, `)) as string,
  });
  const console = readFileSync(join(folder, "minipc.serial.log"), "utf8");
  for (const reference of IMAGES) expect(console).toContain(`node: image ${reference}: sha256:`);
  const page = readFileSync(checkout.path(timeline), "utf8");
  const linked = [...page.matchAll(/ (?:href|src)="(?!data:)([^"]+)"/g)].map(([, path]) => path ?? "");
  expect(linked).toEqual(
    expect.arrayContaining(["isolated.pcap", "minipc.serial.log", "twin-isolated.pcap"]),
  );
  expect(linked.filter((path) => !existsSync(join(folder, path)))).toEqual([]);

  checkout.set("lab", { rehearse: "false" });
  await up();
  expect(await checkout.output("lab", "rehearsal")).toBe("not rehearsed");
  checkout.set("lab", { rehearse: "true" });
  expect(await up()).not.toContain(IS_BOOTING);

  checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ef" });
  const said = await told();
  expect(said).toMatch(/rehearsal-boot +follows/);
  expect(said).toContain("All have been fetched here before.");
  // What the last rehearsal was given and what it saw is no news.
  for (const { title } of reached) expect(said).not.toContain(title);
  // A slow preview has more lines that show only that it goes on.
  expect(said.split("\n").filter((line) => !line.startsWith("@ ")).length).toBeLessThan(45);
  checkout.set("lab", { minipcMac: "52:54:00:12:34:56" });
});

test("it is published as it was rehearsed, with the images that it serves in its manifest, and nothing boots again", async () => {
  const server = await S3Server.start("images");
  try {
    checkout.use({
      IDRIVE_BUCKET: "images",
      IDRIVE_ENDPOINT: server.origin,
      IDRIVE_ACCESS_KEY: server.keys.AWS_ACCESS_KEY_ID,
      IDRIVE_SECRET_KEY: server.keys.AWS_SECRET_ACCESS_KEY,
    });
    checkout.set("lab", { upload: "true", compress: "zstd" });
    expect(await up()).not.toContain(IS_BOOTING);
    const folder = "images/bootstrap/demo";
    const [sum] = (await server.curl("GET", `${folder}/SHA256SUMS`)).split(" ");
    expect(sum).toBe(sha256Of(readFileSync(image())));
    const { servedImages, image: described } = JSON.parse(
      await server.curl("GET", `${folder}/manifest.json`),
    ) as { servedImages: { reference: string }[]; image: { sha256: string } };
    expect(described.sha256).toBe(sum);
    expect(servedImages.map(({ reference }) => reference)).toEqual(IMAGES);
    const published = checkout.path("artifacts/published.raw");
    await server.curl("GET", `${folder}/bootstrap-pxe.raw.zst`, "--output", `${published}.zst`);
    await tool("zstd", ["-dq", `${published}.zst`, "-o", published]);
    expect(sha256Of(readFileSync(published))).toBe(sum);
    checkout.set("lab", { upload: "false", compress: "none" });
    await up();
  } finally {
    await server.remove();
  }
});

test("without its registries nothing changes: every part is reused, and so is the fleet's", async () => {
  await upstream.stop();
  const said = await told();
  expect(said).toContain("Every part is reused");
  expect(said).toMatch(
    new RegExp(`The appliance serves ${COUNT} images, 3 MiB at most, .*All have been fetched here before\\.`),
  );
  await upEndsWell(checkout, "lab", "--expect-no-changes");
  const fleet = await checkout.script("commands/fleet.mjs", ["up", "lab"]);
  expect(fleet.all).toMatch(/^up, 1 stack: 1 unchanged, in /m);
});

test("a rehearsal whose record is gone is made again; destroy keeps the images that were fetched", async () => {
  rmSync(checkout.path(dirname(await timelineOf()), "rehearsal.json"));
  expect(await checkout.preview("lab")).toEqual({ "rehearsal-boot": "update" });
  const { exitCode } = await checkout.pulumi("destroy", "--stack", "lab", "--yes", "--skip-preview");
  expect(exitCode).toBe(0);
  expect(existsSync(image())).toBe(false);
  expect(readdirSync(checkout.path("artifacts/cache/images"))).toContain("store");
});
