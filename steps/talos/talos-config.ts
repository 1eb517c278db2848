import { refusal } from "./refusal";
import { failureOf, run } from "../programs/process";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";
import { loaderFor } from "../../stack/talos-releases.cjs";

/** What a mini-PC's configs are generated from. */
export interface ConfigRequest {
  /** Name of the cluster, and of the context in its client config. */
  cluster: string;
  /** The Kubernetes API's URL, https://HOST:6443. */
  endpoint: string;
  /** Release of Talos that the configs are for, v1.11.6. */
  talosVersion: string;
  installImage: string;
  installDisk: string;
  /** Unset, what the generator's release has as its own. */
  kubernetesVersion?: string;
  additionalSans?: string[];
  /** Strategic merge patches, YAML, for both kinds of machine. */
  patches?: string[];
  /** Plain machine config of a control plane: the new ones are of its cluster. */
  fromControlPlane?: string;
}

/** Plain configs, as Talos's own generator makes them. */
export interface GeneratedConfigs {
  controlplane: string;
  worker: string;
  talosconfig: string;
}

/**
 * Talos's generator and loader for a release: tools/go/talos-config, or talosctl behind the same face.
 *
 * @throws StepError when it is no version
 */
function programFor(talosVersion: string): string {
  const loader = loaderFor(talosVersion);
  if (loader) return loader.program;
  throw new StepError(
    `looking for the loader of Talos ${talosVersion}`,
    "that is not a version of Talos",
    "Set talosVersion to one such as v1.11.6",
  );
}

/**
 * Generates machine configs and a client config. They never touch a disk.
 *
 * @throws StepError with the generator's words
 */
export async function generateConfigs(
  context: StepContext,
  request: ConfigRequest,
): Promise<GeneratedConfigs> {
  const doing = `generating the configs of the cluster ${request.cluster}`;
  const flags = {
    cluster: request.cluster,
    endpoint: request.endpoint,
    "talos-version": request.talosVersion,
    "install-image": request.installImage,
    "install-disk": request.installDisk,
    "kubernetes-version": request.kubernetesVersion,
    "additional-sans": request.additionalSans?.join(",") || undefined,
  };
  const args = [
    ...Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
    ...(request.patches ?? []).flatMap((patch) => ["--config-patch", patch]),
    ...(request.fromControlPlane === undefined ? [] : ["--from-control-plane"]),
  ];
  const options = { input: request.fromControlPlane ?? "", stripFinalNewline: false };
  const program = programFor(request.talosVersion);
  const { stdout, stderr } = await run(context, program, ["generate", ...args], options).catch(
    (fault: unknown) => {
      const { exitCode, stderr: words } = failureOf(fault);
      if (exitCode === undefined) throw fault;
      throw new StepError(doing, refusal(words), "Change what it names, and run it again");
    },
  );
  for (const line of stderr.split("\n").filter(Boolean)) context.log(line);
  try {
    return JSON.parse(stdout) as GeneratedConfigs;
  } catch {
    // Its words would quote what could not be read.
    throw new StepError(doing, "the generator's answer is no JSON", "npm run setup brings a whole one");
  }
}

/**
 * Has the loader of a Talos release read a machine config and validate it for a bare machine, and compare its versions of
 * Kubernetes with those that the release supports.
 *
 * @returns what it says against it, on one line and without values that may be secret; undefined when it is accepted
 */
export async function validateConfig(
  context: StepContext,
  text: string,
  talosVersion: string,
): Promise<string | undefined> {
  const args = ["validate", "--talos-version", talosVersion];
  const isWarning = (line: string) => line.startsWith("warning: ");
  try {
    const { stderr } = await run(context, programFor(talosVersion), args, { input: text });
    for (const line of stderr.split("\n").filter(isWarning)) context.log(line);
    return undefined;
  } catch (fault) {
    const { exitCode, stderr } = failureOf(fault);
    if (exitCode !== 1) throw fault;
    const lines = stderr.split("\n").filter((line) => !isWarning(line));
    return refusal(lines.join("\n"));
  }
}
