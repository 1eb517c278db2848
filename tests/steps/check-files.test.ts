import { checkConfig } from "../../config";
import { renderServiceFiles } from "../../components/service-files";
import { runStep } from "./run-step";

const files = renderServiceFiles(
  checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" }, "lab"),
);

test.each([
  ["with an uplink", {}],
  ["without", { uplink: "false" }],
  ["with resolvers of one's own", { upstreamDns: "9.9.9.9,149.112.112.112" }],
])("each program accepts its rendered file, %s", async (_what, more) => {
  const config = checkConfig({ bootstrapVersion: "1", minipcMac: "00:11:22:33:44:66", ...more }, "lab");
  const { manifest, said } = await runStep("check-files", { files: renderServiceFiles(config) });
  expect(said).toBe("");
  expect(manifest?.checked).toEqual([
    "dnsmasq.conf",
    "nginx-bootstrap.conf",
    "nftables.conf",
    "chrony.conf",
    "netplan.yaml",
  ]);
});

test.each([
  ["dnsmasq.conf", "dhcp-rnage=10.10.10.1", "dnsmasq"],
  ["nginx-bootstrap.conf", "servr {}", "nginx"],
  ["nftables.conf", "table inet x { chain y { tcp dprt 80 accept } }", "nft"],
  ["chrony.conf", "pol pool.ntp.org", "chronyd"],
  ["netplan.yaml", "network: { version: 2, ethernets: { isolated: { addreses: [] } } }", "netplan"],
])("a fault in %s is told in its program's words", async (name, text, program) => {
  const { manifest, said } = await runStep("check-files", { files: { ...files, [name]: `${text}\n` } });
  expect(manifest).toBeUndefined();
  expect(said).toContain(`files/${name}: ${program} says: `);
});

test("every fault is told at once", async () => {
  const broken = { ...files, "dnsmasq.conf": "nonsense\n", "chrony.conf": "nonsense\n" };
  const { said } = await runStep("check-files", { files: broken });
  expect(said).toContain("files/dnsmasq.conf");
  expect(said).toContain("files/chrony.conf");
});
