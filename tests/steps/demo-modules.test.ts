import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { collectModules, type Unpacked } from "../../demo/iso/unpacked";
import { tool } from "../tools";
import { stepContext } from "./disk";
import { testFolder } from "./run-step";

const folder = testFolder();

/** The packages of a kernel with these modules, each with what it needs, packed by a program. */
async function kernelWith(modules: Record<string, string>, packer?: string): Promise<Unpacked> {
  const top = join(mkdtempSync(join(folder, "kernel-")), "usr/lib/modules/6.12");
  const files = [join(top, "modules.builtin")];
  mkdirSync(top, { recursive: true });
  writeFileSync(join(top, "modules.builtin"), "kernel/drivers/ptp/ptp.ko\nkernel/net/packet/af_packet.ko\n");
  for (const [path, depends] of Object.entries(modules)) {
    const module = join(top, "kernel", path);
    mkdirSync(dirname(module), { recursive: true });
    writeFileSync(join(folder, "info"), `license=GPL\0depends=${depends}\0vermagic=6.12\0`);
    const elf = ["-I", "binary", "-O", "elf64-x86-64", "--rename-section", ".data=.modinfo"];
    await tool("objcopy", [...elf, join(folder, "info"), module]);
    if (packer) await tool(packer, ["-q", ...(packer === "zstd" ? ["--rm"] : []), module]);
    files.push(...readdirSync(dirname(module)).map((name) => join(dirname(module), name)));
  }
  return { names: ["linux-image-6.12"], files };
}

const collect = async (kernel: Unpacked, wanted: string[]) => {
  const into = mkdtempSync(join(folder, "into-"));
  const order = await collectModules(stepContext(folder), kernel, wanted, into);
  return { order, there: readdirSync(into).sort() };
};

test.each([
  ["nothing", undefined],
  ["xz", "xz"],
  ["zstd", "zstd"],
  ["gzip", "gzip"],
])(
  "the node gets each driver after what it needs, unpacked, from a kernel whose modules are packed by %s",
  async (_what, packer) => {
    const kernel = await kernelWith(
      {
        "drivers/net/virtio_net.ko": "net_failover,ptp",
        "drivers/net/net-failover.ko": "failover",
        "net/core/failover.ko": "",
      },
      packer,
    );
    const { order, there } = await collect(kernel, ["virtio_net", "af_packet", "failover"]);
    expect(order).toEqual(["failover.ko", "net_failover.ko", "virtio_net.ko"]);
    expect(there).toEqual([...order].sort());
  },
);

test.each([
  ["a driver", {}, "has no module virtio_net, nor is it built in"],
  [
    "what a driver needs",
    { "drivers/net/virtio_net.ko": "failover" },
    "has no module failover, nor is it built in",
  ],
])("%s that the kernel's packages lack is an error by name", async (_what, modules, words) => {
  const kernel = await kernelWith(modules);
  await expect(collect(kernel, ["virtio_net"])).rejects.toThrow(`the kernel of linux-image-6.12 ${words}`);
});

test("packages without the kernel's list of what is built in are an error by name", async () => {
  const kernel = { names: ["linux-image-6.12"], files: ["./boot/vmlinuz-6.12"] };
  await expect(collect(kernel, ["virtio_net"])).rejects.toThrow(
    /the packages linux-image-6\.12 hold no file like .*modules/,
  );
});
