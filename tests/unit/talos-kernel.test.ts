import { knowsTalos, talosKernelArguments } from "../../components/talos-kernel";

const joined = (version: string) => talosKernelArguments(version, ["tty0", "ttyS0"]).join(" ");

test("1.11 on metal: as Talos itself has it", () => {
  expect(joined("v1.11.6")).toBe(
    "talos.platform=metal console=tty0 console=ttyS0 init_on_alloc=1 slab_nomerge= pti=on consoleblank=0 nvme_core.io_timeout=4294967295 printk.devkmsg=on selinux=1",
  );
});

test.each([
  ["v1.9.5", "ima_hash=sha512", "selinux=1"],
  ["v1.10.9", "selinux=1", "module.sig_enforce=1"],
  ["v1.12.0", "module.sig_enforce=1", "proc_mem.force_override=never"],
  ["v1.12.0-alpha.1", "module.sig_enforce=1", "ima_hash=sha512"],
  ["v1.13.2", "proc_mem.force_override=never", "ima_hash=sha512"],
])("%s has %s and not %s", (version, has, hasNot) => {
  expect(joined(version)).toContain(has);
  expect(joined(version)).not.toContain(hasNot);
});

test("without these two Talos restarts the machine", () => {
  for (const version of ["v1.9.0", "v1.11.6", "v2.0.0"])
    expect(joined(version)).toMatch(/slab_nomerge= pti=on/);
});

test("a release older than the arguments that were read is not known", () => {
  expect([knowsTalos("v1.8.4"), knowsTalos("v1.9.0")]).toEqual([false, true]);
});
