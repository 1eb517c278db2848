import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { registryOf } from "../../stack/image-reference";
import { releaseImages } from "../../stack/talos-images";
import { makeContext } from "../../tools/setup/context.cjs";
import { homeWithMirrors, ImageMaker, startFaultyProxy, startRegistry, type FaultyProxy } from "../registry";

/** Of the layer that all images have. */
export const SHARED_BYTES = 300 << 10;

/** What a control plane like the demo's needs, in order. */
export function demoImages(talosVersion: string): string[] {
  const own = releaseImages(talosVersion);
  const ofKubernetes = ["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"];
  return [
    `ghcr.io/siderolabs/installer:${talosVersion}`,
    `ghcr.io/siderolabs/kubelet:v${own.kubernetes}`,
    ...ofKubernetes.map((name) => `registry.k8s.io/${name}:v${own.kubernetes}`),
    ...[own.etcd, own.coredns, own.flannel, own.pause],
  ].sort();
}

/**
 * A registry on loopback in place of those that images come from, with small ones under the real names.
 */
export class Upstream {
  private constructor(
    /** What stands before it, and can be made to fail. */
    readonly proxy: FaultyProxy,
    /** What a program gets that is to take its images from there. */
    readonly env: NodeJS.ProcessEnv,
    readonly stop: () => Promise<unknown>,
  ) {}

  /** @param folder where its files go */
  static async start(folder: string, references: string[]): Promise<Upstream> {
    mkdirSync(folder);
    const registry = await startRegistry(join(folder, "store"));
    const maker = new ImageMaker(folder, registry);
    // Each has a layer of its own, and one that all have, which does not compress.
    const shared = randomBytes(SHARED_BYTES);
    for (const reference of references) await maker.push(reference, [reference, shared]);
    const proxy = await startFaultyProxy(registry.address);
    const hosts = [...new Set(references.map(registryOf))];
    const env = {
      ...homeWithMirrors(join(folder, "home"), proxy.address, hosts),
      // The home has no tools.
      BOOTSTRAP_PXE_CACHE: makeContext().cache,
      BOOTSTRAP_PXE_RETRY_SECONDS: "0.1",
    };
    return new Upstream(proxy, env, () => Promise.all([proxy.stop(), registry.stop()]));
  }
}
