import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import type * as z from "zod";
import type * as digests from "../steps/contracts/image-digests";
import { CONTRACTS } from "../steps/contracts/contracts";
import type { StepContext } from "../steps/frame/context";
import { registryOf } from "../stack/image-reference";
import { homeWithMirrors, ImageMaker, startRegistry, type Registry } from "../tests/registry";
import { makeContext } from "../tools/setup/context.cjs";
import { Stack } from "./pulumi";
import { inTurn } from "./runs";
import { atMost, inputOf, newMac, runStep, type Bench } from "./setting";
import type { Figure } from "./table";

/** Bytes of what each image has alone, and of what all of them share: together about what the images of a node take. */
const [OWN_BYTES, SHARED_BYTES] = [40 << 20, 2 << 20];

/** A registry on loopback with the images of the demo's node, which stands in for the registries that they name. */
interface Upstream {
  registry: Registry;
  references: string[];
  /** Of whoever takes the images from it. */
  env: NodeJS.ProcessEnv;
}

/** Makes images of random bytes, which nothing compresses, under the names that the node's config and its release give. */
async function startUpstream(bench: Bench): Promise<Upstream> {
  const { checkout } = bench;
  const input = { ...(await inputOf(bench, "config-check")), offline: true };
  const { stdout } = await runStep(bench, bench.env, "machine-config", input);
  const { images: references } = CONTRACTS["machine-config"].Manifest.parse(JSON.parse(stdout));
  const registry = await startRegistry(checkout.path("artifacts/upstream"));
  const layouts = checkout.path("artifacts/layouts");
  const maker = new ImageMaker(layouts, registry);
  const shared = randomBytes(SHARED_BYTES);
  for (const reference of references) await maker.push(reference, [randomBytes(OWN_BYTES), shared]);
  rmSync(layouts, { recursive: true });
  const hosts = [...new Set(references.map(registryOf))];
  const home = homeWithMirrors(checkout.path("artifacts/home"), registry.address, hosts);
  const env = { ...bench.env, BOOTSTRAP_PXE_CACHE: makeContext().cache, ...home };
  return { registry, references, env };
}

/** From the list to the layer, against what fetches the list by hand and makes the same of it. */
async function filling(bench: Bench, { registry, references, env }: Upstream, log: StepContext["log"]) {
  const { checkout, context, runs } = bench;
  const here = checkout.path("artifacts/filling");
  const [store, layer] = [join(here, "store"), join(here, "layer/images.squashfs")];
  const byHand = checkout.path("artifacts/by-hand");
  const list = join(context.scratch, "list.yaml");
  const named = references.map((reference) => /^(.*):([^:]*)$/.exec(reference)!.slice(1));
  const entries = named.map(([name, tag]) => `    ${name}: ["${tag}"]`);
  writeFileSync(
    list,
    [`${registry.address}:`, "  tls-verify: false", "  images:", ...entries, ""].join("\n"),
  );
  const given = { store, lockFile: join(here, "lock.json"), recordFile: join(here, "record.json") };
  const steps = async (run: number) => {
    const asked = { ...given, images: references };
    const { stdout } = await runStep(bench, env, "image-digests", asked);
    const { images } = JSON.parse(stdout) as z.output<typeof digests.Manifest>;
    await runStep(bench, env, "images", { key: `bench-${run}`, path: layer, store, images });
  };
  let other: Registry | undefined;
  const anew = (folder: string) => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  };
  const prepare = async () => {
    await other?.stop();
    anew(byHand);
    other = await startRegistry(join(byHand, "store"));
  };
  const sync = () => {
    const flags = ["--src", "yaml", "--dest", "docker", "--dest-tls-verify=false"];
    return execa("skopeo", ["sync", ...flags, list, `${other!.address}/copies`], { env });
  };
  const pack =
    'mksquashfs "$1/store" "$1/layer" -quiet -no-progress -noI -noD -noF -noX -noId && sha256sum "$1/layer"';
  const sides = {
    steps: { prepare: () => anew(here), measured: steps },
    sync: { prepare, measured: sync },
    whole: { prepare, measured: () => sync().then(() => execa("sh", ["-c", pack, "sh", byHand], { env })) },
  };
  try {
    return await inTurn(runs, sides, log);
  } finally {
    await other?.stop();
    for (const folder of [here, byHand]) rmSync(folder, { recursive: true, force: true });
  }
}

/** A stack that is as `lab` but offline, and what a change and a preview of each take. */
async function offlineStack(bench: Bench, { env }: Upstream, log: StepContext["log"]) {
  const { context, checkout, runs } = bench;
  checkout.use(env);
  await checkout.stack("offline", { offline: "true", artifactName: "offline" });
  // In the same environment, so that the images alone differ.
  const of = (name: string) => new Stack(context, env, checkout.top, name);
  const [offline, lab] = [of("offline"), of("lab")];
  await lab.up();
  await offline.up();
  const changed = (name: string, stack: Stack) => ({
    prepare: (run: number) => checkout.set(name, { minipcMac: newMac(run) }),
    measured: () => stack.up(),
  });
  const ups = await inTurn(runs, { with: changed("offline", offline), without: changed("lab", lab) }, log);
  const preview = (stack: Stack) => ({ measured: () => stack.preview() });
  const previews = await inTurn(runs, { with: preview(offline), without: preview(lab) }, log);
  return { ups, previews };
}

/** The images layer: filling it, and what having it adds to a change and a preview. */
export async function imagesLayer(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const upstream = await startUpstream(bench);
  try {
    const filled = await filling(bench, upstream, log);
    const { ups, previews } = await offlineStack(bench, upstream, log);
    const here = { what: "both steps, from the list to the layer's checksum", values: filled.steps };
    const sync = "`skopeo sync` of the list into a registry";
    return [
      {
        what: "(i) the images layer, filled",
        unit: "s",
        here,
        against: { what: `${sync}, \`mksquashfs\` of its store, \`sha256sum\``, values: filled.whole },
        target: atMost(1.1),
      },
      {
        what: "the same",
        unit: "s",
        here,
        against: { what: `${sync}, nothing more`, values: filled.sync },
        target: atMost(1.1),
      },
      {
        what: "a changed MAC, offline",
        unit: "s",
        here: { what: "`up` with the images layer", values: ups.with },
        against: { what: "`up` without it", values: ups.without },
        target: atMost(1.1),
      },
      {
        what: "`preview`, offline",
        unit: "s",
        here: { what: "`preview` with the images layer", values: previews.with },
        against: { what: "`preview` without it", values: previews.without },
        target: atMost(1.1),
      },
    ];
  } finally {
    await upstream.registry.stop();
  }
}
