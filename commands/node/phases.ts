import type { Answer, MachineStatus, TalosFault } from "../../steps/talos/talos-client";
import type { Look } from "./wait";

/** One part of the way from a machine that answers to a node that is Ready. */
export interface Phase {
  /** What is done until then, such as `waiting for etcd`. */
  doing: string;
  /** What to say when it is there. */
  done: (status: MachineStatus) => string;
  isThere: (status: MachineStatus) => boolean;
  /** How far the machine is, as long as it is not there. */
  still: (status: MachineStatus) => string;
}

function serviceWords({ services }: MachineStatus, name: string): string {
  const service = services[name];
  if (!service) return `Talos has not started ${name} yet`;
  const last = service.last ? `, ${service.last}` : "";
  return `${name} is ${service.state}${service.healthy ? "" : " and not healthy"}${last}`;
}

const service = (name: string): Phase => ({
  doing: `waiting for ${name}`,
  done: () => `${name} is healthy`,
  isThere: ({ services }) => services[name]?.healthy ?? false,
  still: (status) => serviceWords(status, name),
});

/** Talos checks nothing in its other stages, and calls itself ready in them. */
const UP = ["booting", "running"];

/** Talos is past its installation: what it starts now stays. */
export const INSTALLED: Phase = {
  doing: "waiting for Talos to be installed and started from its disk",
  done: ({ netbooted }) =>
    netbooted
      ? "Talos is installed, but this start came over the network, not from its disk"
      : "Talos runs from its disk",
  isThere: ({ stage }) => UP.includes(stage),
  still: ({ stage }) => (stage ? `it is ${stage}` : "it does not say how far it is"),
};

export const ETCD = service("etcd");
export const KUBELET = service("kubelet");

/** The node's own words of what it misses. */
const unmetWords = ({ unmet }: MachineStatus): string => unmet.map(({ reason }) => reason).join("; ");

/** A control plane answers itself, once the kubelet runs its pods; a worker is answered at the cluster's endpoint. */
export const KUBERNETES: Phase = {
  doing: "waiting for Kubernetes to answer",
  done: () => "Kubernetes answers, and has the node",
  isThere: ({ known }) => known,
  still: (status) => unmetWords(status) || "it has not told Talos of the node yet",
};

/** Talos asks Kubernetes whether the node is Ready (its controller runtime.MachineStatusController). */
export const READY: Phase = {
  doing: "waiting for Kubernetes to call the node Ready",
  done: () => "the node is Ready",
  isThere: ({ stage, ready }) => stage === "running" && ready,
  still: (status) =>
    unmetWords(status) || (status.stage === "running" ? "not ready yet" : `it is ${status.stage}`),
};

/** The parts after the installation; a control plane's cluster has to be started before its etcd comes. */
export const phasesAfter = (type: string): Phase[] =>
  type === "worker" ? [KUBELET, KUBERNETES, READY] : [ETCD, KUBELET, KUBERNETES, READY];

/** Faults that no time heals. */
const LASTING: Partial<Record<TalosFault["kind"], string>> = {
  certificate:
    "The client config and the machine there are of different clusters, or it has no machine config yet: name the file made " +
    "with its machine config by --talosconfig, and see what its screen says",
  name: "Set --address to an address of the machine's own, or add this one to machine.certSANs of its machine config",
  forbidden: "Name a client config whose role is os:admin by --talosconfig",
  unimplemented: "Set talosVersion to the release that runs there",
};

/** What to do about a fault that ends the work; undefined where it may pass. */
export const lasting = ({ kind }: TalosFault): string | undefined => LASTING[kind];

/** How far a machine is that gives no answer. */
export const faultWords = ({ kind, words }: TalosFault): string =>
  kind === "clock" ? `its clock and this one's differ, or a certificate is old (${words})` : words;

/** What a look at the machine shows of a phase. */
export function lookFor(phase: Phase, { answer, fault }: Answer<MachineStatus>): Look<MachineStatus> {
  if (fault) return { still: `no answer: ${faultWords(fault)}` };
  return phase.isThere(answer) ? { there: answer } : { still: phase.still(answer) };
}
