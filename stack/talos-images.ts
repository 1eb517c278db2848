import semver from "semver";
import { factoryInstaller, PLAIN_SCHEMATIC } from "./image-factory";

/** What a release of Talos runs where the machine config names no image. */
export interface ReleaseImages {
  /** Version of Kubernetes, 1.34.1. */
  kubernetes: string;
  etcd: string;
  coredns: string;
  flannel: string;
  pause: string;
  /** What flannel's network policies run, from 1.13 on. */
  policies?: string;
}

/** [first release, Kubernetes, etcd, CoreDNS, flannel, pause, kube-network-policies] */
type Row = [string, string, string, string, string, string, string?];

/**
 * What changed from release to release: pkg/machinery/constants of each tag of siderolabs/talos, and the pause image of
 * pkg/images/list.go, which is containerd's and not in the machinery. A row counts until the next one of the same minor.
 */
const ROWS: readonly Row[] = [
  ["1.9.0", "1.32.0", "v3.5.17", "v1.12.0", "v0.26.1", "3.10"],
  ["1.9.3", "1.32.1", "v3.5.18", "v1.12.0", "v0.26.1", "3.10"],
  ["1.9.4", "1.32.2", "v3.5.18", "v1.12.0", "v0.26.4", "3.10"],
  ["1.9.5", "1.32.3", "v3.5.19", "v1.12.0", "v0.26.5", "3.10"],
  ["1.9.6", "1.32.4", "v3.5.21", "v1.12.0", "v0.26.5", "3.10"],
  ["1.10.0", "1.33.0", "v3.5.21", "v1.12.1", "v0.26.7", "3.10"],
  ["1.10.3", "1.33.1", "v3.5.21", "v1.12.1", "v0.26.7", "3.10"],
  ["1.10.5", "1.33.2", "v3.5.21", "v1.12.1", "v0.26.7", "3.10"],
  ["1.10.6", "1.33.3", "v3.5.21", "v1.12.1", "v0.26.7", "3.10"],
  ["1.10.7", "1.33.4", "v3.5.21", "v1.12.1", "v0.26.7", "3.10"],
  ["1.10.8", "1.33.6", "v3.5.21", "v1.12.1", "v0.26.7", "3.10"],
  ["1.10.9", "1.33.6", "v3.5.26", "v1.12.1", "v0.26.7", "3.10"],
  ["1.11.0", "1.34.0", "v3.6.4", "v1.12.2", "v0.27.2", "3.10"],
  ["1.11.1", "1.34.0", "v3.6.4", "v1.12.3", "v0.27.2", "3.10"],
  ["1.11.2", "1.34.1", "v3.6.4", "v1.12.3", "v0.27.2", "3.10"],
  ["1.11.3", "1.34.1", "v3.6.5", "v1.12.4", "v0.27.4", "3.10"],
  ["1.12.0", "1.35.0", "v3.6.7", "v1.13.2", "v0.27.4", "3.10"],
  ["1.12.5", "1.35.2", "v3.6.8", "v1.13.2", "v0.27.4", "3.10"],
  ["1.12.7", "1.35.4", "v3.6.9", "v1.13.2", "v0.27.4", "3.10"],
  ["1.12.8", "1.35.4", "v3.6.11", "v1.14.3", "v0.27.4", "3.10.1"],
  ["1.12.9", "1.35.4", "v3.6.11", "v1.14.2", "v0.27.4", "3.10.1"],
  ["1.13.0", "1.36.0", "v3.6.9", "v1.14.2", "v0.28.4", "3.10.1", "v1.0.0"],
  ["1.13.1", "1.36.0", "v3.6.11", "v1.14.2", "v0.28.4", "3.10.1", "v1.0.0"],
  ["1.13.3", "1.36.1", "v3.6.11", "v1.14.2", "v0.28.4", "3.10.1", "v1.0.0"],
  ["1.13.4", "1.36.1", "v3.6.12", "v1.14.2", "v0.28.5", "3.10.1", "v1.0.0"],
  ["1.13.5", "1.36.2", "v3.6.12", "v1.14.2", "v0.28.5", "3.10.1", "v1.0.0"],
  ["1.13.7", "1.36.2", "v3.6.12", "v1.14.4", "0.28.7", "3.10.1", "v1.1.0"],
  ["1.13.8", "1.36.2", "v3.6.12", "v1.14.6", "0.28.8", "3.10.1", "v1.1.0"],
  ["1.13.9", "1.36.3", "v3.6.12", "v1.14.6", "0.28.8", "3.10.1", "v1.1.0"],
  ["1.14.1", "1.37.0", "3.7.1", "v1.14.7", "0.28.9", "3.10.2", "v1.1.1"],
];

/** The last release of each minor that the rows were read from. */
const READ_UNTIL: Record<string, string> = {
  "1.9": "1.9.6",
  "1.10": "1.10.9",
  "1.11": "1.11.6",
  "1.12": "1.12.11",
  "1.13": "1.13.9",
  "1.14": "1.14.1",
};

const minorOf = (version: string) => `${semver.major(version)}.${semver.minor(version)}`;
const releaseOf = (version: string) => `${minorOf(version)}.${semver.patch(version)}`;

/** The row of a release: the last one of its minor that is not later; of a release that no row is for, the nearest one. */
function rowOf(talosVersion: string): Row {
  const release = releaseOf(talosVersion);
  const ofMinor = ROWS.filter(([first]) => minorOf(first) === minorOf(release));
  const earlier = (rows: readonly Row[]) => rows.filter(([first]) => semver.lte(first, release)).at(-1);
  return earlier(ofMinor) ?? ofMinor[0] ?? earlier(ROWS) ?? ROWS[0]!;
}

/** What a release of Talos runs where the machine config names no image. */
export function releaseImages(talosVersion: string): ReleaseImages {
  const [, kubernetes, etcd, coredns, flannel, pause, policies] = rowOf(talosVersion);
  // Kubernetes' own registry has etcd since Talos takes it from there.
  const etcdFrom = semver.lt(talosVersion, "1.12.0-0")
    ? "gcr.io/etcd-development/etcd"
    : "registry.k8s.io/etcd";
  return {
    kubernetes,
    etcd: `${etcdFrom}:${etcd}`,
    coredns: `registry.k8s.io/coredns/coredns:${coredns}`,
    flannel: `ghcr.io/siderolabs/flannel:${flannel}`,
    pause: `registry.k8s.io/pause:${pause}`,
    policies: policies && `registry.k8s.io/networking/kube-network-policies:${policies}`,
  };
}

/** One line on a release whose own list of images is not known here; undefined where it is. */
export function unknownImagesLine(talosVersion: string): string | undefined {
  const [first] = rowOf(talosVersion);
  const until = READ_UNTIL[minorOf(talosVersion)];
  const release = releaseOf(talosVersion);
  if (until && semver.gte(until, release) && semver.lte(first, release)) return undefined;
  return (
    `This project does not know which images Talos ${talosVersion} runs where the config names none: it takes those of ` +
    `Talos v${until && semver.lt(until, release) ? until : first}. Compare them with what talosctl image prints, and name others in extraImages`
  );
}

/**
 * The installer that Talos takes where the config names none (internal/app/machined: v1alpha1_sequencer_tasks.go, and for an
 * UnattendedInstallConfig unattended_install.go, which takes that of the schematic that was booted).
 *
 * @returns undefined where that cannot be known
 */
export function ownInstaller(
  talosVersion: string,
  byDocument: boolean,
  schematic?: string,
): string | undefined {
  if (byDocument) return schematic && factoryInstaller(schematic, talosVersion);
  return semver.gte(talosVersion, "1.14.0-0")
    ? factoryInstaller(PLAIN_SCHEMATIC, talosVersion)
    : `ghcr.io/siderolabs/installer:${talosVersion}`;
}
