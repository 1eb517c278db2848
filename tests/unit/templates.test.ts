import { checkConfig } from "../../stack/config";
import {
  kernelLineOf,
  render,
  renderBootScript,
  renderServiceFiles,
  type RenderedFiles,
} from "../../stack/templates";

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

/** The lines that files have more than others, each with its file's name. */
const addedTo = (plain: RenderedFiles, more: RenderedFiles) =>
  Object.entries(more).flatMap(([name, text]) => {
    const before = plain[name as keyof RenderedFiles].split("\n");
    return text.split("\n").flatMap((line) => (before.includes(line) ? [] : [`${name}: ${line.trim()}`]));
  });

test("only an offline stack's files have anything about images", () => {
  const config = checkConfig(lab, "lab");
  const [plain, offline] = [renderServiceFiles(config), renderServiceFiles({ ...config, offline: true })];
  expect(renderServiceFiles({ ...config, offline: false })).toEqual(plain);
  expect(addedTo(plain, offline)).toMatchSnapshot();
});

test("only with operator's networks the files have anything about them", () => {
  const [plain, open] = [lab, { ...lab, operatorNetwork: "192.168.1.0/24,10.9.0.0/16" }].map((given) =>
    renderServiceFiles(checkConfig(given, "lab")),
  ) as [RenderedFiles, RenderedFiles];
  expect(addedTo(plain, open)).toMatchSnapshot();
});

test("an uplink without DHCP shows in these files alone", () => {
  const fixed = { uplinkCidr: "192.168.1.5/24", uplinkGateway: "192.168.1.1", upstreamDns: "9.9.9.9,::ffff" };
  const files = renderServiceFiles(checkConfig({ ...lab, ...fixed }, "lab"));
  const others = renderServiceFiles(checkConfig({ ...lab, upstreamDns: fixed.upstreamDns }, "lab"));
  const changed = Object.entries(files).filter(
    ([name, text]) => text !== others[name as keyof typeof others],
  );
  expect(Object.fromEntries(changed)).toMatchSnapshot();
});

test("an unknown name is an error, not an empty place", () => {
  expect(() => render("dnsmasq.conf", "{{#uplink}}{{gateway}}{{/uplink}}", { uplink: true })).toThrow(
    "files/dnsmasq.conf names {{gateway}}, which is not known; known are uplink",
  );
});

test("values are written as they are, without HTML escapes", () => {
  expect(render("x", "{{value}}", { value: 'a"b&c' })).toBe('a"b&c');
});
