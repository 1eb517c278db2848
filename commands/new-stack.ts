import { existsSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { stringify } from "yaml";
import { declaredDefaults, imageOf, NAMESPACE } from "../stack/config/defaults";
import { readStackFile, sharedByStacks, stackFiles, type StackFile } from "../stack/stack-files";
import { partialBeside } from "../steps/store/files";
import { hostOf } from "../steps/talos/hosts";
import { clustersApart } from "../steps/talos/clusters";
import { recordCluster } from "../steps/talos/cluster-record";
import { readNodeConfig } from "../steps/talos/read-node-config";
import { failureOf, run } from "../steps/programs/process";
import { decrypt, NO_SOPS_CONFIG } from "../steps/programs/sops";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { generateConfigs } from "../steps/talos/talos-config";
import { readCommandLine } from "./command-line.cjs";
import { NEW } from "./commands.cjs";
import {
  pathIn,
  plan,
  QUESTIONS,
  refusalOf,
  type AnswerFault,
  type Answers,
  type Cluster,
  type Plan,
} from "./new-answers";
import { Person } from "./person";
import { makeContext } from "../tools/setup/context.cjs";
import { setUp } from "../tools/setup/setup.cjs";

/** What the command line asks for. */
interface Request {
  stack: string;
  answers: Answers;
  ageKey?: string;
  makeAgeKey: boolean;
}

function readRequest(): Request {
  const { values, positionals } = readCommandLine(NEW);
  const { mac, disk, endpoint, vip, ip, appliance, cluster, join: joins, role, schematic } = values;
  const [talosVersion, bootstrapVersion] = [values["talos-version"], values["bootstrap-version"]];
  return {
    stack: positionals[0] as string,
    answers: {
      mac,
      disk,
      endpoint,
      vip,
      talosVersion,
      schematic,
      ip,
      appliance,
      cluster,
      join: joins,
      role,
      bootstrapVersion,
    },
    ageKey: values["age-key"],
    makeAgeKey: values["make-age-key"],
  };
}

const TOP = process.cwd();

/** Undoes what was made so far, the last step first. */
class Undo {
  #steps: (() => unknown)[] = [];
  add(step: () => unknown): void {
    this.#steps.unshift(step);
  }
  async all(): Promise<void> {
    for (const step of this.#steps) await step();
  }
}

/** Fails where something is there already, before anything is made. */
async function refuseWhatIsThere(stack: string, others: StackFile[]): Promise<void> {
  const doing = `making the stack ${stack}`;
  if (stack === "demo") throw new StepError(doing, "demo is the stack of npm run demo", "Take another name");
  const files = [
    `Pulumi.${stack}.yaml`,
    ...["controlplane.yaml", "worker.yaml", "talosconfig"].map((kind) => `config/${stack}.${kind}`),
  ];
  const there = files.filter((file) => existsSync(join(TOP, file)));
  const next =
    "Nothing was made, and nothing is ever overwritten: take another name, or remove what is there first";
  if (there.length > 0) throw new StepError(doing, `there is ${there.join(", ")} already`, next);
  const workspace = await LocalWorkspace.create({ workDir: TOP });
  const known = (await workspace.listStacks()).map(({ name }) => name.split("/").at(-1));
  if (known.includes(stack))
    throw new StepError(doing, `the backend knows a stack ${stack} already, whose file is not here`, next);
  const image = imageOf({ artifactName: stack, bootstrapVersion: "any" });
  const owner = others.find(({ given }) => imageOf({ ...given, bootstrapVersion: "any" }) === image);
  if (owner)
    throw new StepError(doing, `the stack ${owner.stack} has the artifactName ${stack} already`, next);
}

/** The plain machine config of a stack's control plane, for a further machine of its cluster. */
async function controlPlaneOf(context: StepContext, other: string, others: StackFile[]) {
  const doing = `joining the cluster of the stack ${other}`;
  const file = others.find(({ stack }) => stack === other);
  if (!file) throw new StepError(doing, `there is no Pulumi.${other}.yaml`, "Name a stack of this checkout");
  const given = { ...declaredDefaults(), ...file.given };
  const text = await decrypt(context, {
    path: given.machineConfig ?? "",
    ageKeyFile: given.ageKeyFile || undefined,
    allowPlaintext: given.allowPlaintextSecrets === "true",
    setKey: "machineConfig",
  });
  const node = readNodeConfig(text);
  if (node.machineType === "worker")
    throw new StepError(
      doing,
      `${given.machineConfig} is a worker's`,
      "Name the stack of a control plane: only that has the cluster's secrets",
    );
  if (!node.clusterName || !node.endpoint)
    throw new StepError(
      doing,
      `${given.machineConfig} names no cluster`,
      "Name the stack of a control plane",
    );
  const cluster: Cluster = {
    stack: other,
    name: node.clusterName,
    endpoint: node.endpoint,
    vip: node.vips.find((ip) => ip === hostOf(node.endpoint)),
  };
  return { cluster, text };
}

/** Completes the answers; each one that is wrong is asked for again. */
async function askForAnswers(
  person: Person,
  given: Answers,
  planOf: (answers: Answers) => ReturnType<typeof plan>,
): Promise<Answers> {
  const answers = { ...given };
  for (const { answer, text, only } of QUESTIONS) {
    if (answers[answer] || (only && !only(answers))) continue;
    const fallbacks: Answers = {
      talosVersion: declaredDefaults().talosVersion,
      ip: planOf(answers).suggestedLease,
    };
    for (;;) {
      answers[answer] = await person.ask(text, fallbacks[answer]);
      const fault = planOf(answers).faults.find((each) => each.answer === answer);
      if (!fault) break;
      process.stderr.write(`  ${fault.text}\n`);
    }
  }
  return answers;
}

interface Identity {
  /** Public keys to encrypt to, with commas between. */
  recipients: string;
  /** What a stack's config has to name, so that sops finds the identity. */
  ageKeyFile?: string;
  made?: string;
}

/** The age identity of the checkout, else where sops looks for one (getsops/sops, "Encrypting using age"). */
function usualIdentity(): string {
  const { ageKeyFile } = declaredDefaults();
  if (ageKeyFile) return resolve(TOP, ageKeyFile);
  const config = process.env.XDG_CONFIG_HOME || join(process.env.HOME || homedir(), ".config");
  return process.env.SOPS_AGE_KEY_FILE || join(config, "sops", "age", "keys.txt");
}

/** The key itself, where neither a flag nor the checkout names its file. */
const keyInEnvironment = (ageKey?: string) =>
  ageKey || declaredDefaults().ageKeyFile ? undefined : process.env.SOPS_AGE_KEY;

/** The age identity that is missing, if one is. */
function missingIdentity({ ageKey }: Request): string | undefined {
  const path = ageKey ? resolve(ageKey) : usualIdentity();
  return keyInEnvironment(ageKey) || existsSync(path) ? undefined : path;
}

async function identity(
  context: StepContext,
  { ageKey }: Request,
  make: boolean,
  undo: Undo,
): Promise<Identity> {
  const path = ageKey ? resolve(ageKey) : usualIdentity();
  if (make) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    undo.add(() => rmSync(path, { force: true }));
    // It makes the file for its user alone, and replaces none.
    await run(context, "age-keygen", ["-o", path]);
  }
  const inEnvironment = keyInEnvironment(ageKey);
  const keys = await run(context, "age-keygen", inEnvironment ? ["-y"] : ["-y", path], {
    input: inEnvironment,
  }).catch((fault: unknown) => {
    context.signal.throwIfAborted();
    const { stderr } = failureOf(fault);
    throw new StepError(
      `reading the age identity ${path}`,
      stderr.trim().split("\n")[0] || (fault as Error).message,
      "Name another by --age-key FILE",
    );
  });
  return {
    recipients: keys.stdout.trim().split(/\s+/).join(","),
    ageKeyFile: ageKey && pathIn(TOP, path),
    made: make ? path : undefined,
  };
}

/** Encrypts a text in memory. */
async function encrypted(context: StepContext, text: string, recipients: string): Promise<string> {
  const form = ["--input-type", "yaml", "--output-type", "yaml", "--filename-override", "secret.yaml"];
  // Node's own pipes are sockets, which cannot be opened by name; the shell's can.
  const command = [
    "-c",
    'cat | exec sops "$@" /dev/stdin',
    "sh",
    ...NO_SOPS_CONFIG,
    "encrypt",
    "--age",
    recipients,
    ...form,
  ];
  return (await run(context, "sh", command, { input: text, stripFinalNewline: false })).stdout;
}

/** Writes a file that was not there, whole; where another process was faster, its file stays. */
async function place(path: string, text: string, undo: Undo): Promise<void> {
  const target = join(TOP, path);
  const partial = await partialBeside(target);
  await writeFile(partial, text);
  // Unlike a rename, a link refuses to replace.
  linkSync(partial, target);
  undo.add(() => rmSync(target, { force: true }));
  rmSync(partial);
}

/** The mini-PC's own NIC has the shared address too, whatever its name. */
const vipPatch = ({ vip, config }: Plan) =>
  stringify({
    machine: {
      network: {
        interfaces: [{ deviceSelector: { hardwareAddr: config.minipcMac }, dhcp: true, vip: { ip: vip } }],
      },
    },
  });

/** The stack's file, as text. */
function stackFile({ config }: Plan, ageKeyFile: string | undefined): string {
  const named = Object.entries({ ...config, ...(ageKeyFile && { ageKeyFile }) }).map(
    ([key, value]) => [`${NAMESPACE}:${key}`, value] as const,
  );
  // Pulumi's YAML reads a bare date as a point in time.
  return `# Made by npm run new. Each key is explained in Pulumi.yaml.\n${stringify(
    { config: Object.fromEntries(named) },
    { version: "1.1", lineWidth: 0 },
  )}`;
}

async function make(context: StepContext, asked: Plan, from: string | undefined, age: Identity, undo: Undo) {
  const { cluster, endpoint, talosVersion, installImage, disk: installDisk } = asked;
  const patches = asked.vip ? [vipPatch(asked)] : [];
  // Only now the release is known for sure.
  await setUp("loaders", makeContext(), [talosVersion]);
  const generated = await generateConfigs(context, {
    ...{ cluster, endpoint, talosVersion, installImage, installDisk, patches, fromControlPlane: from },
  });
  const machineConfig = await encrypted(context, generated[asked.role], age.recipients);
  const client = asked.talosConfig && (await encrypted(context, generated.talosconfig, age.recipients));
  await place(asked.machineConfig, machineConfig, undo);
  if (asked.talosConfig && client) await place(asked.talosConfig, client, undo);
  await place(`Pulumi.${asked.stack}.yaml`, stackFile(asked, age.ageKeyFile), undo);
  // What the other stacks are compared with until the first `up` checks the config.
  const node = readNodeConfig(generated[asked.role]);
  await recordCluster(join(TOP, "artifacts/cache/runs", asked.stack), {
    ...{ machineType: node.machineType, endpoint: node.endpoint, cluster: node.cluster, node, leases: [] },
    ...{ installImage: node.install.image, joins: asked.join !== undefined },
  });
  context.signal.throwIfAborted();
  const unaborted = { signal: new AbortController().signal };
  undo.add(() =>
    // It may not have been made yet.
    run(unaborted, "pulumi", ["stack", "rm", asked.stack, "--yes", "--preserve-config"]).catch(
      () => undefined,
    ),
  );
  await run(context, "pulumi", ["stack", "init", asked.stack, "--no-select", "--non-interactive"]);
}

/** What was made, and what comes next, in short lines. */
function told(made: Plan, age: Identity, warnings: string[]): string {
  const { talosSchematic: schematic } = made.config;
  const role = made.role === "worker" ? "a worker" : made.join ? "another control plane" : "a control plane";
  const lines = [
    ...(age.made
      ? [
          `An age identity was made: ${age.made}`,
          "  Keep a copy of it: without it nothing here can be decrypted.",
        ]
      : []),
    `The stack ${made.stack} was made: ${role} of the cluster ${made.cluster} at ${made.endpoint}`,
    `  Pulumi.${made.stack}.yaml: ${made.config.minipcMac} gets ${made.minipcIp}, Talos ${made.talosVersion}`,
    ...(schematic
      ? [`  Its ISO and its installer come from the Image Factory's schematic ${schematic}`]
      : []),
    `  ${made.machineConfig}: its machine config, encrypted; Talos goes to ${made.disk}`,
    made.talosConfig
      ? `  ${made.talosConfig}: the client config for talosctl, encrypted`
      : `  The client config is that of the stack ${made.join}`,
    "All of these may be committed. No plain file was written.",
    ...warnings.map((line) => `warning: ${line}`),
    "Next:",
    `  npm run pulumi -- preview --stack ${made.stack}`,
    `  npm run pulumi -- up --stack ${made.stack}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** What is to be made, complete and without a fault, and whether an age identity is to be made. */
async function decide(
  person: Person | undefined,
  request: Request,
  planOf: (answers: Answers) => ReturnType<typeof plan>,
): Promise<{ asked: Plan; makesIdentity: boolean }> {
  const { stack, answers: given } = request;
  const missing = missingIdentity(request);
  const isGiven = ({ answer }: AnswerFault) =>
    given[answer as keyof Answers] !== undefined || answer === "stack";
  let { plan: asked, faults } = planOf(given);
  if (person) {
    const misgiven = faults.filter(isGiven);
    if (misgiven.length > 0) throw refusalOf(stack, misgiven);
    ({ plan: asked, faults } = planOf(await askForAnswers(person, given, planOf)));
  }
  const question = `There is no age identity ${missing}, which secrets are encrypted to. Make one?`;
  const makesIdentity =
    missing !== undefined &&
    (request.makeAgeKey || (asked && /^y/i.test((await person?.ask(question, "yes")) ?? "")));
  if (missing && !makesIdentity)
    faults.push({
      answer: "ageKey",
      text: `there is no age identity ${missing}: --make-age-key makes one, or this option names another`,
    });
  if (!asked || faults.length > 0) throw refusalOf(stack, faults);
  return { asked, makesIdentity: makesIdentity === true };
}

async function newStack(context: StepContext, request: Request): Promise<void> {
  const { stack } = request;
  const others = stackFiles(TOP).filter((file) => file.stack !== stack);
  await refuseWhatIsThere(stack, others);
  const { join: other } = request.answers;
  const joined = other ? await controlPlaneOf(context, other, others) : undefined;
  const today = new Date().toLocaleDateString("sv");
  const planOf = (answers: Answers) => plan(stack, answers, others, joined?.cluster, today);
  const person = process.stdin.isTTY && process.env.CI !== "true" ? new Person(context) : undefined;
  const { asked, makesIdentity } = await decide(person, request, planOf).finally(() => person?.leave());
  const undo = new Undo();
  let age: Identity;
  try {
    age = await identity(context, request, makesIdentity, undo);
    await make(context, asked, joined?.text, age, undo);
  } catch (fault) {
    await undo.all();
    throw fault;
  }
  const shared = [...sharedByStacks([readStackFile(TOP, stack), ...others], stack), ...clustersApart(stack)];
  process.stderr.write(told(asked, age, shared));
}

void runProgram(
  "new",
  async (context) => {
    await newStack(context, readRequest());
    return undefined;
  },
  { asks: true },
);
