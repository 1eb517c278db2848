import { rehearsalSubject } from "../../../stack/rehearsal-subject";
import { kernelLineOf, renderBootScript } from "../../../stack/templates";
import { checkConfig } from "../../../stack/config";

const config = checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" }, "lab");

test("every argument of boot.ipxe's kernel line is looked for, the place of its config among them", () => {
  const line = kernelLineOf(config, ["selinux=1", "nosmt"]);
  const { kernelArguments } = rehearsalSubject(config, line);
  expect(kernelArguments).toContain("talos.config=http://10.10.10.2/configs/minipc.yaml");
  const written = /vmlinuz initrd=initramfs\.xz (.*) \$\{serial-console\} \|\|/.exec(
    renderBootScript(config, line),
  );
  expect(written?.[1]?.split(" ")).toEqual(kernelArguments);
});

test("of a line that is longer than the kernel prints, what it prints is looked for", () => {
  const long = Array.from({ length: 100 }, (_, number) => `module${number}.option=1`);
  const { kernelArguments } = rehearsalSubject(config, kernelLineOf(config, long));
  expect(kernelArguments.join(" ").length).toBeLessThanOrEqual(900);
  expect([...long, ...kernelLineOf(config, []).arguments]).toEqual(expect.arrayContaining(kernelArguments));
});

test("a value with blanks is looked for word by word, as a console's line is divided", () => {
  const { kernelArguments } = rehearsalSubject(config, kernelLineOf(config, ['dyndbg="file x +p"']));
  expect(kernelArguments).toEqual(expect.arrayContaining(['dyndbg="file', "x", '+p"']));
});

test("an uplink without DHCP is one in the rehearsal, too", () => {
  const fixed = { uplinkCidr: "192.168.1.5/24", uplinkGateway: "192.168.1.1", upstreamDns: "9.9.9.9" };
  const given = { bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" };
  const subjectOf = (more: object) =>
    rehearsalSubject(checkConfig({ ...given, ...more }, "lab"), { arguments: [] });
  expect(subjectOf(fixed).fixedUplink).toEqual({ cidr: "192.168.1.5/24", gateway: "192.168.1.1" });
  expect(subjectOf({}).fixedUplink).toBeUndefined();
});
