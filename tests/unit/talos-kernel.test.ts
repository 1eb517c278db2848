import fc from "fast-check";
import {
  argumentsIn,
  differenceInWords,
  hasSerialConsole,
  ipxeKernelArguments,
  kernelArgFault,
  kernelLine,
  knowsTalos,
} from "../../stack/talos-kernel";
import { renderBootScript } from "../../stack/templates";
import { checkConfig } from "../../stack/config";

/** What Talos 1.14 boots with on metal, as its ISO has it. */
const V1_14 =
  "talos.platform=metal console=tty0 slab_nomerge= pti=on consoleblank=0 printk.devkmsg=on selinux=1 module.sig_enforce=1 proc_mem.force_override=never talos.halt_if_installed=1".split(
    " ",
  );
const OWN = "talos.config=http://10.10.10.2/configs/minipc.yaml";
const lineOf = (iso: string[], kernelArgs?: string[], consoles = ["tty0"]) =>
  kernelLine(iso, { consoles, kernelArgs, applianceIp: "10.10.10.2" });

test("the line is the ISO's, without the argument that stops an installed machine, and with the config's URL", () => {
  expect(lineOf(V1_14).arguments.join(" ")).toBe(
    `talos.platform=metal ${OWN} console=tty0 slab_nomerge= pti=on consoleblank=0 printk.devkmsg=on selinux=1 module.sig_enforce=1 proc_mem.force_override=never`,
  );
  expect(lineOf(V1_14)).toMatchObject({ dropped: ["talos.halt_if_installed=1"], added: [OWN] });
});

test("what a schematic adds is served, since its extra arguments are in the ISO's line", () => {
  expect(lineOf([...V1_14, "pci=nommconf", "i915.enable_guc=3"]).arguments.slice(-2)).toEqual([
    "pci=nommconf",
    "i915.enable_guc=3",
  ]);
});

test("the ISO's arguments that the appliance sets itself are ignored", () => {
  const foreign = ["BOOT_IMAGE=/boot/vmlinuz", "initrd=/boot/initramfs.xz", "talos.config=http://elsewhere/"];
  const { arguments: line, dropped } = lineOf([...foreign, ...V1_14, "console=ttyS0"]);
  expect(line).toEqual(lineOf(V1_14).arguments);
  expect(dropped).toEqual([...foreign, "talos.halt_if_installed=1", "console=ttyS0"]);
});

test.each([
  ["an ISO without any line", [], ["slab_nomerge=", "pti=on"]],
  ["one that has them without a value", ["slab_nomerge", "pti=on"], []],
  ["one that switches one off", ["slab_nomerge=", "pti=off"], ["pti=on"]],
])("Talos stops without these two: %s", (_what, iso, added) => {
  expect(lineOf(iso).added.filter((argument) => /^(slab|pti)/.test(argument))).toEqual(added);
  expect(lineOf(iso).arguments).not.toContain("pti=off");
});

test("kernelArgs come last; -NAME and -NAME=VALUE drop what the ISO has", () => {
  const iso = [...V1_14, "hugepages=5", "hugepages=7"];
  const {
    arguments: line,
    dropped,
    unmatched,
  } = lineOf(iso, ["-selinux", "nosmt", "-hugepages=5", "-nobody"]);
  expect(line).not.toContain("selinux=1");
  expect(line.slice(-2)).toEqual(["hugepages=7", "nosmt"]);
  expect(dropped).toEqual(["selinux=1", "talos.halt_if_installed=1", "hugepages=5"]);
  expect(unmatched).toEqual(["-nobody"]);
});

test("no argument of an ISO is lost or doubled, and the difference is what was dropped and added", () => {
  const word = fc.oneof(
    fc.stringMatching(/^[a-z][a-z_.]{0,8}(=[a-z0-9]{0,4})?$/),
    fc.constantFrom(...V1_14, "console=ttyS0,115200n8", "pti=off", "slab_nomerge", "initrd=x", "hugepages=5"),
  );
  const added = word.filter((argument) => kernelArgFault(argument) === undefined);
  fc.assert(
    fc.property(
      fc.array(word),
      fc.array(added),
      fc.subarray(["tty0", "ttyS0"]),
      (iso, kernelArgs, consoles) => {
        const { arguments: line, dropped, added } = lineOf(iso, kernelArgs, consoles);
        const bare = (list: string[]) => list.map((argument) => argument.replace(/=$/, "")).sort();
        expect(bare([...line, ...dropped])).toEqual(bare([...iso, ...added]));
        for (const set of ["talos.platform=", "talos.config="])
          expect(line.filter((argument) => argument.startsWith(set))).toHaveLength(1);
        expect(line.filter((argument) => argument.startsWith("console="))).toHaveLength(consoles.length);
        const kept = iso.filter(
          (argument) =>
            !/^(console|talos\.(platform|config|halt_if_installed)|initrd|BOOT_IMAGE|pti|slab_nomerge)(=|$)/.test(
              argument,
            ),
        );
        const taken = line.filter((argument) => kept.includes(argument) || kernelArgs.includes(argument));
        expect(taken.filter((argument) => !/^(pti|slab_nomerge)/.test(argument))).toEqual(
          [...kept, ...kernelArgs].filter((argument) => !/^(pti|slab_nomerge)/.test(argument)),
        );
      },
    ),
  );
});

test("the difference in words", () => {
  expect(differenceInWords(lineOf(V1_14, ["nosmt", "-nobody"]))).toBe(
    `The kernel line is the ISO's without talos.halt_if_installed=1, and with ${OWN} nosmt. The ISO has nothing that -nobody would drop.`,
  );
});

test.each([
  [["a=${uuid}"], 'iPXE reads "${uuid}" of a=${uuid} as its own script'],
  [["||"], 'iPXE reads "||" of || as its own script'],
  [["#a"], 'iPXE reads "#" of #a as its own script'],
  [['dyndbg="a  b"'], "as its own script"],
  [
    Array.from({ length: 100 }, (_, number) => `module.option=${number}-0123`),
    /it has 2\d\d\d characters, and a kernel reads 2047/,
  ],
])("a line that would arrive as another one is refused: %j", (added, words) => {
  expect(() => ipxeKernelArguments(lineOf([...V1_14, ...added]))).toThrow(words);
});

test.each([["a=$b"], ["a={b}"], ["a=b||c"], ["a=b#c"], ['dyndbg="file x +p"'], ["a=${b"]])(
  "%s means nothing to iPXE and is handed over",
  (argument) => {
    expect(ipxeKernelArguments(lineOf([...V1_14, argument]))).toContain(` ${argument}`);
  },
);

test("the arguments of a rendered script are read back as they went in", () => {
  const config = checkConfig({ bootstrapVersion: "1", minipcMac: "00:11:22:33:44:66" }, "lab", [], {});
  const line = lineOf([...V1_14, 'dyndbg="file x +p"']);
  expect(argumentsIn(renderBootScript(config, line))).toEqual(line.arguments);
});

test("a virtual mini-PC has a serial console, but with an older image only where its consoles name one", () => {
  const config = checkConfig({ bootstrapVersion: "1", minipcMac: "00:11:22:33:44:66" }, "lab", [], {});
  expect(hasSerialConsole(renderBootScript(config, lineOf(V1_14)))).toBe(true);
  const older = (consoles: string) => `kernel http://10.10.10.2/vmlinuz pti=on ${consoles} || goto failed\n`;
  expect(hasSerialConsole(older("console=tty0 console=ttyS0"))).toBe(true);
  expect(hasSerialConsole(older("console=tty0 console=ttyS1"))).toBe(false);
  expect(argumentsIn(older("console=tty0"))).toEqual(["pti=on", "console=tty0"]);
});

test("a release older than those that the program was read against is not known", () => {
  expect([knowsTalos("v1.8.4"), knowsTalos("v1.9.0"), knowsTalos("v2.0.0")]).toEqual([false, true, true]);
});
