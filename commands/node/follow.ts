import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import type { Answer, MachineStatus, TalosClient, TalosFault } from "../../steps/talos/talos-client";
import { ETCD, faultWords, INSTALLED, lasting, lookFor, type Phase, phasesAfter } from "./phases";
import { duration, type Look, type Waiting } from "./wait";

/** What is asked of a mini-PC. */
export interface Request {
  /** Where it is reached. */
  address: string;
  bootstrap: boolean;
  /** Whether the client config for Kubernetes is wanted. */
  kubeconfig: boolean;
}

/** What is done with a mini-PC, and by what. */
export interface Following {
  context: Pick<StepContext, "log">;
  client: Pick<TalosClient, "status" | "bootstrap" | "kubeconfig">;
  waiting: Waiting;
  request: Request;
}

const REACH =
  "See that the mini-PC is on, and that this computer reaches it: on the isolated link, or where it was moved to, " +
  "with --address (docs/runbook.md, part 7)";
const LOOK = "Look at the mini-PC's screen; the same command goes on from here";

/** @throws StepError when the fault is one that no time heals */
function refuseLasting(doing: string, fault: TalosFault | undefined): void {
  const next = fault && lasting(fault);
  if (next) throw new StepError(doing, faultWords(fault), next);
}

/** Waits for one phase. */
async function reach({ client, waiting, request }: Following, phase: Phase, next: string) {
  return waiting.for(
    { doing: phase.doing, next: () => next },
    async () => {
      const seen = await client.status();
      refuseLasting(`asking ${request.address}`, seen.fault);
      return lookFor(phase, seen);
    },
    phase.done,
  );
}

/** Waits until Talos answers at all. */
async function answers({ client, waiting, request }: Following): Promise<MachineStatus> {
  const look = async (): Promise<Look<MachineStatus>> => {
    const { answer, fault }: Answer<MachineStatus> = await client.status();
    refuseLasting(`asking ${request.address}`, fault);
    return fault ? { still: faultWords(fault) } : { there: answer };
  };
  const doing = `waiting for Talos to answer at ${request.address}, port 50000`;
  return waiting.for({ doing, next: () => REACH }, look, ({ version }) => `Talos ${version} answers`);
}

/**
 * Starts the cluster, unless etcd is there already. It is asked for once: only after a clear refusal is it asked for again.
 */
async function bootstrapOnce({ context, client, waiting, request }: Following, status: MachineStatus) {
  const before = "etcd was started before: bootstrap is not done again";
  if (ETCD.isThere(status)) return context.log(before);
  const look = async (): Promise<Look<string>> => {
    const { fault } = await client.bootstrap();
    refuseLasting(`bootstrapping ${request.address}`, fault);
    if (!fault) return { there: "etcd is bootstrapped" };
    if (fault.kind === "exists") return { there: before };
    if (fault.kind === "lost")
      return {
        there: `bootstrap was asked for and the answer lost (${fault.words}): etcd shows whether it was done`,
      };
    if (["not-yet", "unreachable", "clock"].includes(fault.kind)) return { still: faultWords(fault) };
    throw new StepError(`bootstrapping ${request.address}`, fault.words, LOOK);
  };
  await waiting.for(
    { doing: "waiting for bootstrap to be accepted", next: () => LOOK },
    look,
    (said) => said,
  );
}

async function fetchKubeconfig({ client, waiting, request }: Following): Promise<string> {
  const look = async (): Promise<Look<string>> => {
    const { answer, fault } = await client.kubeconfig();
    if (answer) return { there: answer.text };
    refuseLasting(`asking ${request.address} for the kubeconfig`, fault);
    return { still: faultWords(fault) };
  };
  return waiting.for(
    { doing: "waiting for the kubeconfig", next: () => LOOK },
    look,
    () => "the kubeconfig is fetched",
  );
}

/** What to do when a phase does not come. */
function nextOf(phase: Phase, { bootstrap }: Request): string {
  if (phase !== ETCD || bootstrap) return LOOK;
  return "etcd waits until its cluster is started: on the first control plane, and only there, run it again with --bootstrap";
}

/**
 * Follows a mini-PC from its first answer to a node that is Ready, and does on the way what is asked for.
 *
 * @returns what Talos says of it, and the client config for Kubernetes, if that was asked for
 * @throws StepError when a wait is over, or at a fault that no time heals
 */
export async function follow(following: Following): Promise<{ status: MachineStatus; kubeconfig?: string }> {
  const { context, waiting, request } = following;
  await answers(following);
  let status = await reach(following, INSTALLED, LOOK);
  const isWorker = status.type === "worker";
  if (isWorker && (request.bootstrap || request.kubeconfig))
    throw new StepError(
      `asking ${request.address} for ${request.bootstrap ? "bootstrap" : "the kubeconfig"}`,
      "the machine there is a worker",
      "Ask a control plane of its cluster",
    );
  if (request.bootstrap) await bootstrapOnce(following, status);
  for (const phase of phasesAfter(status.type))
    status = await reach(following, phase, nextOf(phase, request));
  const kubeconfig = request.kubeconfig ? await fetchKubeconfig(following) : undefined;
  context.log(`all of it took ${duration(waiting.seconds())}`);
  return { status, kubeconfig };
}
