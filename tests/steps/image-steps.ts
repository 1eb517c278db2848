import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedImage } from "../../steps/contracts/image";
import {
  homeWithMirrors,
  ImageMaker,
  startFaultyProxy,
  startRegistry,
  type FaultyProxy,
  type Meddling,
  type Registry,
} from "../registry";
import { tool } from "../tools";
import { runStep, testFolder } from "./run-step";

export const HOSTS = ["ghcr.io", "registry.k8s.io"];
export const KUBELET = "ghcr.io/siderolabs/kubelet:v1.34.1";
export const PROXY = "registry.k8s.io/kube-proxy:v1.34.1";
/** Two layers: one of its own, which takes a while, and one that both images have. */
export const [OWN, SHARED] = [randomBytes(3 << 20), "shared by both"];

/** The file with a blob in a store. */
export const blobFile = (store: string, digest: string) => {
  const hex = digest.slice("sha256:".length);
  return join(store, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
};

export const ofBlob = (digest: string) => new RegExp(`^GET .*/blobs/${digest}`);

/** Passes everything on but requests of one kind. */
export const except =
  (pattern: RegExp, times: number, meddle: (...given: Parameters<Meddling>) => unknown): Meddling =>
  (request, response) => {
    if (!pattern.test(`${request.method} ${request.url}`) || times-- <= 0) return false;
    meddle(request, response);
    return true;
  };

/** The steps that fetch images, for the cases of one file: a registry with two images, behind a proxy that may meddle. */
export class ImageSteps {
  readonly folder = testFolder();
  proxy!: FaultyProxy;
  env!: NodeJS.ProcessEnv;
  maker!: ImageMaker;
  kubelet!: Awaited<ReturnType<ImageMaker["push"]>>;
  /** The folder of the case. */
  place!: string;
  private upstream!: Registry;
  private number = 0;

  constructor() {
    beforeAll(async () => {
      this.upstream = await startRegistry(this.upstreamStore);
      this.proxy = await startFaultyProxy(this.upstream.address);
      this.env = {
        ...homeWithMirrors(join(this.folder, "home"), this.proxy.address, HOSTS),
        BOOTSTRAP_PXE_RETRY_SECONDS: "0.1",
      };
      this.maker = new ImageMaker(this.folder, this.upstream);
      this.kubelet = await this.maker.push(KUBELET, [OWN, SHARED]);
      await this.maker.push(PROXY, ["the proxy", SHARED]);
    });
    afterAll(() => Promise.all([this.proxy.stop(), this.upstream.stop()]));
    beforeEach(() => {
      this.place = join(this.folder, `case-${++this.number}`);
      mkdirSync(this.place);
      this.proxy.meddle = () => false;
      this.proxy.requests.length = 0;
    });
  }

  get upstreamStore() {
    return join(this.folder, "upstream");
  }

  asking = (images: string[], more: object = {}) => ({
    ...{ images, lockFile: join(this.place, "lock.json"), recordFile: join(this.place, "local.json") },
    store: join(this.place, "store"),
    ...more,
  });

  filling = (images: ServedImage[], more: object = {}) => ({
    ...{ key: "k", path: join(this.place, "layers/k/images.squashfs"), store: join(this.place, "store") },
    ...{ images, ...more },
  });

  resolved = async (...references: string[]) => {
    const { manifest, said } = await runStep("image-digests", this.asking(references), this.env);
    expect({ made: manifest !== undefined, said: manifest ? "" : said }).toEqual({ made: true, said: "" });
    expect(said.split("\n").filter((line) => line.includes("asking"))).toEqual([]);
    return manifest as unknown as { images: ServedImage[]; warnings: string[] };
  };

  /** Fills a layer, which has to work. */
  filled = async (images: ServedImage[], more: object = {}) => {
    const { manifest, said } = await runStep("images", this.filling(images, more), this.env);
    expect({ made: manifest !== undefined, said: manifest ? "" : said }).toEqual({ made: true, said: "" });
    return { layer: (manifest as { path: string }).path, said };
  };

  /** One line, no layer, and nothing that a later run takes for one. */
  refused = async (step: "images" | "image-digests", input: object, ...words: string[]) => {
    const { manifest, said } = await runStep(step, input, this.env);
    expect(manifest).toBeUndefined();
    const last = said.trim().split("\n").at(-1)!;
    for (const word of words) expect(last).toContain(word);
    expect(
      said
        .trim()
        .split("\n")
        .filter((line) => line.startsWith(`${step}: `)),
    ).toHaveLength(1);
    if (step === "images") expect(existsSync(join(this.place, "layers/k/images.squashfs"))).toBe(false);
    return last;
  };

  fetchedBlobs = (digest: string) => this.proxy.requests.filter((each) => ofBlob(digest).test(each)).length;

  /** Serves a layer as the appliance does, and does something with it. */
  served = async (layer: string, use: (address: string) => Promise<void>) => {
    const root = join(this.place, `unpacked-${++this.number}`);
    await tool("unsquashfs", ["-quiet", "-no-progress", "-dest", root, layer]);
    const registry = await startRegistry(root, true);
    await use(registry.address).finally(registry.stop);
    return JSON.parse(readFileSync(join(root, "images.json"), "utf8")) as { images: ServedImage[] };
  };

  /** Pulls an image, which compares every blob with its digest. */
  pulled = async (from: string) => {
    const to = `dir:${join(this.place, `pulled-${++this.number}`)}`;
    return tool("skopeo", ["copy", "--quiet", "--src-tls-verify=false", `docker://${from}`, to]);
  };
}
