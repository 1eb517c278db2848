import semver from "semver";

/** Oldest Talos release whose arguments were read. */
const OLDEST = "1.9.0";

interface Row {
  argument: string;
  /** First release that wants it. */
  since?: string;
  /** First release that no longer wants it. */
  until?: string;
}

/**
 * Kernel arguments of Talos on metal, in its own order. Source: `kernel.DefaultArgs` and `quirks` in
 * github.com/siderolabs/talos/pkg/machinery, read at 1.9.5, 1.10.9, 1.11.6, 1.12.0 and 1.13.0.
 * Without slab_nomerge and pti=on Talos says so and hangs.
 */
const ARGUMENTS: Row[] = [
  { argument: "init_on_alloc=1" },
  { argument: "slab_nomerge=" },
  { argument: "pti=on" },
  { argument: "consoleblank=0" },
  { argument: "nvme_core.io_timeout=4294967295" },
  { argument: "printk.devkmsg=on" },
  { argument: "ima_template=ima-ng", until: "1.11.0" },
  { argument: "ima_appraise=fix", until: "1.11.0" },
  { argument: "ima_hash=sha512", until: "1.11.0" },
  { argument: "selinux=1", since: "1.10.0" },
  { argument: "module.sig_enforce=1", since: "1.12.0" },
  { argument: "proc_mem.force_override=never", since: "1.13.0" },
];

/** Whether the arguments of a release are known: from 1.9 on; a newer one than was read takes the newest row. */
export function knowsTalos(version: string): boolean {
  return semver.gte(version, OLDEST);
}

/**
 * Kernel command line for a Talos release on metal.
 *
 * @param version with its v, at least v1.9.0
 * @param consoles kernel consoles in order; the kernel's last one is /dev/console
 */
export function talosKernelArguments(version: string, consoles: string[]): string[] {
  // A pre-release belongs to the release that it leads to.
  const release = semver.coerce(version)?.version ?? version;
  const wanted = ARGUMENTS.filter(
    ({ since, until }) => (!since || semver.gte(release, since)) && (!until || semver.lt(release, until)),
  );
  return [
    "talos.platform=metal",
    ...consoles.map((console) => `console=${console}`),
    ...wanted.map(({ argument }) => argument),
  ];
}

/** Where a mini-PC finds its machine config on the appliance, as a kernel argument. */
export function machineConfigArgument(applianceIp: string): string {
  return `talos.config=http://${applianceIp}/configs/minipc.yaml`;
}
