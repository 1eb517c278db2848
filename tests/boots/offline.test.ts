import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import tar from "tar-stream";
import { squashfs } from "../../steps/disk/squashfs";
import { publish } from "../../steps/store/files";
import { renderServiceFiles } from "../../stack/templates";
import { boot } from "../e2e/boot";
import { demo } from "../e2e/demo";
import { Images, type Assembly } from "../e2e/images";
import { imagesLayer, type ImagesLayer } from "../images-layer";
import { talosConfigs } from "../talos-configs";
import { toolEnvironment } from "../tools";

const images = new Images();
afterAll(() => images.remove());

const KUBELET = "ghcr.io/siderolabs/kubelet:v1.34.1";
const PAUSE = "registry.k8s.io/pause:3.10";
const ETCD = "registry.k8s.io/etcd:3.6.5-0";

/** A control plane's config that has the appliance as the mirror of both registries: with a path of its own, and without. */
async function configWithMirrors(): Promise<string> {
  const { controlplane } = await talosConfigs({ cluster: "demo", installDisk: "/dev/nvme0n1" });
  const url = `http://${demo.applianceCidr.address}:5000`;
  const mirrors = [
    `ghcr.io: { endpoints: ["${url}/v2/ghcr.io"], overridePath: true, skipFallback: true }`,
    `registry.k8s.io: { endpoints: ["${url}"], skipFallback: true }`,
  ];
  const section = `    registries:\n        mirrors:\n${mirrors.map((each) => `            ${each}\n`).join("")}`;
  const from = /^machine:\n/m;
  if (!from.test(controlplane) || /^ {4}registries:/m.test(controlplane))
    throw new Error("the generated config is not as expected");
  return controlplane.replace(from, (machine) => machine + section);
}

/** The layer as a file. */
async function fileOf({ files }: ImagesLayer): Promise<NonNullable<Assembly["images"]>> {
  const pack = tar.pack();
  for (const [name, content] of files) pack.entry({ name, mode: 0o644 }, content);
  pack.finalize();
  const path = join(mkdtempSync(join(images.folder, "images-")), "images.squashfs");
  process.env.PATH = toolEnvironment.PATH;
  await squashfs({ signal: new AbortController().signal } as never, pack, `${path}.made`);
  return { path, sha256: (await publish(`${path}.made`, path, "test")).sha256 };
}

/** Boots the demo as an offline stack without an uplink. */
async function bootOffline(layer: ImagesLayer, change: (assembly: Assembly) => void = () => undefined) {
  const config = { ...demo, offline: true, uplink: false };
  const assembly = await images.make(async (made) => {
    made.files = { ...made.files, ...renderServiceFiles(config) };
    made.machineConfig = images.config(await configWithMirrors());
    made.images = await fileOf(layer);
    change(made);
  });
  return boot(assembly, {}, { images: layer.images, hasUplink: false });
}

const consoleOf = (folder: string) => readFileSync(join(folder, "appliance.serial.log"), "utf8");

test("an image that was left out fails by its name, after all those that a mini-PC without a way out got from the appliance", async () => {
  const { record, folder } = await bootOffline(imagesLayer([KUBELET, PAUSE, ETCD], [ETCD]));
  expect(record.passed).toBe(false);
  expect(record.diagnosis).toMatchObject({
    at: "images",
    seen: `${ETCD} was answered with the status 404`,
  });
  const said = consoleOf(folder);
  expect(said).toMatch(/bootstrap-pxe: serving .*; 3 images/);
  for (const reference of [KUBELET, PAUSE])
    expect(said).toContain(`bootstrap-pxe: images: ${reference} to ${demo.minipcIp}`);
});

test.each([
  ["missing", (assembly: Assembly) => void delete assembly.images],
  [
    "damaged",
    (assembly: Assembly) => {
      // Another squashfs, with other files than those of an images layer.
      assembly.images = assembly.netboot;
    },
  ],
])("an images layer that is %s is said on the console", async (how, change) => {
  const { record } = await bootOffline(imagesLayer([KUBELET]), change);
  expect(record.diagnosis?.seen).toContain(`the images layer is ${how} (partition bootstrap-images)`);
  expect(record.diagnosis?.look).toMatch(/lacks that partition|Compare the image with its SHA256SUMS/);
});
