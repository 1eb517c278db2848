import { checkConfig } from "../../stack/config";
import { kernelLineOf, render, renderBootScript, renderServiceFiles } from "../../stack/templates";

const lab = { bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" };

/** What Talos 1.11 boots with on metal, as its ISO has it. */
const ISO =
  "talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge= pti=on consoleblank=0 nvme_core.io_timeout=4294967295 printk.devkmsg=on selinux=1 talos.halt_if_installed=1".split(
    " ",
  );

test.each([
  ["the seed's mini-PC", lab],
  ["no uplink", { ...lab, uplink: "false" }],
  [
    "resolvers of its own, another subnet and a console with its speed",
    {
      ...lab,
      upstreamDns: "9.9.9.9,2620:fe::fe",
      applianceCidr: "192.168.7.1/28",
      minipcIp: "192.168.7.5",
      dhcpRange: "192.168.7.6-192.168.7.9",
      consoles: "ttyS1,115200n8",
      kernelArgs: "nosmt -selinux",
    },
  ],
])("%s", (_name, given) => {
  const config = checkConfig(given, "lab");
  const boot = renderBootScript(config, kernelLineOf(config, ISO));
  expect({ "boot.ipxe": boot, ...renderServiceFiles(config) }).toMatchSnapshot();
});

test("an unknown name is an error, not an empty place", () => {
  expect(() => render("dnsmasq.conf", "{{#uplink}}{{gateway}}{{/uplink}}", { uplink: true })).toThrow(
    "files/dnsmasq.conf names {{gateway}}, which is not known; known are uplink",
  );
});

test("values are written as they are, without HTML escapes", () => {
  expect(render("x", "{{value}}", { value: 'a"b&c' })).toBe('a"b&c');
});
