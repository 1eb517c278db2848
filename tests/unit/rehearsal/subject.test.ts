import { rehearsalSubject } from "../../../components/rehearsal-subject";
import { renderServiceFiles } from "../../../components/service-files";
import { checkConfig } from "../../../config";

test("the mini-PC is held to every argument of boot.ipxe's kernel line, the place of its config among them", () => {
  const config = checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" }, "lab");
  const { kernelArguments } = rehearsalSubject(config);
  expect(kernelArguments).toContain("talos.config=http://10.10.10.2/configs/minipc.yaml");
  const line = /vmlinuz initrd=initramfs\.xz (.*) \|\|/.exec(renderServiceFiles(config)["boot.ipxe"]);
  expect(line?.[1]?.split(" ")).toEqual(kernelArguments);
});
