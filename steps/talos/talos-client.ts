import * as z from "zod";
import { failureOf, run } from "../programs/process";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";
import { loaderFor } from "../../stack/talos-releases.cjs";

const Fault = z.object({
  /**
   * Why a machine gives no answer. `unreachable`: there is no connection to its port 50000. `lost`: there was one, and no
   * answer came: whether the request did is not known. `clock`: a certificate
   * is expired or not valid yet, by the clock of one side. `name`: the machine's is for other addresses. `certificate`: one
   * side refuses the other's authority. `forbidden`: the
   * client config's role may not do this. `exists`: etcd has data. `not-yet`: the machine is not that far.
   */
  kind: z.enum([
    "unreachable",
    "lost",
    "clock",
    "name",
    "certificate",
    "forbidden",
    "exists",
    "not-yet",
    "unimplemented",
    "other",
  ]),
  /** The machine's or the network's own, on one line. */
  words: z.string(),
});
export type TalosFault = z.output<typeof Fault>;

const Service = z.object({ state: z.string(), healthy: z.boolean(), last: z.string() });
const Status = z.object({
  /** Release of Talos that runs there, as v1.11.6. */
  version: z.string(),
  /** `controlplane` or `worker`; empty while it has no config. */
  type: z.string(),
  /** Whether this start came over the network, as far as its kernel's line shows; an installed Talos starts from its disk. */
  netbooted: z.boolean(),
  /** Talos's own word, such as installing, booting or running (pkg/machinery/resources/runtime, MachineStage). */
  stage: z.string(),
  /** Whether nothing of `unmet` is left. Talos says so, too, of a stage in which it checks nothing. */
  ready: z.boolean(),
  unmet: z.array(z.object({ name: z.string(), reason: z.string() })),
  /** Talos's services, such as etcd and kubelet, by name. */
  services: z.record(z.string(), Service),
  /** Whether Kubernetes answers the machine, and has a node of its name. */
  known: z.boolean(),
});
/** What a machine says of itself. */
export type MachineStatus = z.output<typeof Status>;

export type Answer<T> = { answer: T; fault?: undefined } | { answer?: undefined; fault: TalosFault };
const answerOf = <T extends z.ZodType>(answer: T) =>
  z.union([z.object({ answer }), z.object({ fault: Fault })]) as unknown as z.ZodType<Answer<z.output<T>>>;

/** The client's status when it cannot read the client config. */
const UNREADABLE = 3;

/** Which machine is asked, and as whom. */
export interface TalosMachine {
  /** Release of the stack, v1.11.6: its own client asks. */
  talosVersion: string;
  /** Address or name, with a port unless that is 50000. */
  address: string;
  /** Plain client config, which goes to the client by a pipe. */
  talosConfig: string;
}

/** Asks one machine by Talos's API, with the client of its release (tools/go/talos-config/talos-client). */
export class TalosClient {
  constructor(
    private readonly context: Pick<StepContext, "signal">,
    private readonly machine: TalosMachine,
  ) {}

  /** What the machine says of itself. */
  status() {
    return this.ask("status", Status);
  }

  /** Starts the machine's etcd: once for a cluster. Of a lost answer nobody knows whether it was done. */
  bootstrap() {
    return this.ask("bootstrap", z.object({}));
  }

  /** The client config for Kubernetes, with an administrator's key; control planes have it. */
  kubeconfig() {
    return this.ask("kubeconfig", z.object({ text: z.string().min(1) }));
  }

  /** @throws StepError when the client cannot be run, or cannot read the client config */
  private async ask<T extends z.ZodType>(command: string, answer: T): Promise<Answer<z.output<T>>> {
    const { talosVersion, address, talosConfig } = this.machine;
    const minor = loaderFor(talosVersion)?.minor;
    if (minor === undefined)
      throw new StepError(
        `looking for the client of Talos ${talosVersion}`,
        "that is not a version of Talos",
        "Set talosVersion to one such as v1.11.6",
      );
    const args = ["--address", address, command];
    const options = { input: talosConfig };
    const { stdout } = await run(this.context, `talos-client-${minor}`, args, options).catch(
      (fault: unknown) => {
        const { exitCode, stderr } = failureOf(fault);
        if (exitCode !== UNREADABLE) throw fault;
        const next = "Name the file made with the machine config by --talosconfig, or set talosConfig";
        throw new StepError("reading the client config", stderr.trim(), next);
      },
    );
    return answerOf(answer).parse(JSON.parse(stdout));
  }
}
