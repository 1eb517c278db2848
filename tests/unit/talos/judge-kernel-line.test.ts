import { judgeKernelLine } from "../../../steps/talos/judge-kernel-line";

const ISO = [
  "talos.platform=metal",
  "console=tty0",
  "init_on_alloc=1",
  "slab_nomerge",
  "pti=on",
  "net.ifnames=0",
];

test.each([
  "ip=10.0.0.5::10.0.0.1:255.255.255.0::eth0:off",
  "ip=10.0.0.5",
  "ip=[fd00::5]::[fd00::1]:64::eth0",
  "bond=bond0:eth0,eth1:mode=802.3ad",
  "vlan=eth0.5:eth0",
  "talos.network.interface.ignore=eth0",
])("%s may keep the mini-PC from its lease", (argument) => {
  expect(judgeKernelLine([...ISO, argument])).toEqual([
    expect.objectContaining({
      level: "warning",
      name: "kernel-line",
      text: expect.stringContaining(argument) as string,
    }),
  ]);
});

test.each([
  "ip=dhcp",
  "ip=eth0:dhcp",
  "ip=10.0.0.5::10.0.0.1:255.255.255.0::eth0:dhcp",
  "ip=off",
  "ip=:::::eth0:dhcp",
  "bonding.max_bonds=0",
  "talos.hostname=nuc1",
  "siderolink.api=https://omni.example.org/?jointoken=x",
])("%s does not", (argument) => {
  expect(judgeKernelLine([...ISO, argument])).toEqual([]);
});

test("a config of the line, and a login before it is fetched, are told without their values", () => {
  const told = judgeKernelLine([
    "talos.config.early=p4ssw0rd",
    "talos.config.oauth.client_id=p4ss",
    "talos.config.oauth.client_secret=w0rd",
  ]).map(({ text }) => text);
  expect(told).toEqual([
    expect.stringContaining("takes that config first"),
    expect.stringContaining("waits for a person to log in"),
  ]);
  expect(told.join()).not.toMatch(/p4ss|w0rd/);
});
