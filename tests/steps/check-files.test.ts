import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/templates";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
/** A cache of set-up with one program, a shell script. */
function cacheWith(program: string, script: string): string {
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "bin", program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

const files = renderServiceFiles(
  checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" }, "lab"),
);

test.each<[what: string, more: Record<string, string>, offline: boolean]>([
  ["with an uplink", {}, false],
  ["without", { uplink: "false" }, false],
  ["with an operator's way in", { operatorNetwork: "10.9.0.0/16,192.168.1.7/32" }, false],
  ["with resolvers of one's own", { upstreamDns: "9.9.9.9,149.112.112.112" }, false],
  [
    "with an uplink without DHCP",
    { uplinkCidr: "192.168.1.5/24", uplinkGateway: "192.168.1.1", upstreamDns: "9.9.9.9,::1:2" },
    false,
  ],
  ["with images", {}, true],
])("each program accepts its rendered file, %s", async (_what, more, offline) => {
  const config = checkConfig({ bootstrapVersion: "1", minipcMac: "00:11:22:33:44:66", ...more }, "lab");
  const { manifest, said } = await runStep("check-files", {
    files: renderServiceFiles({ ...config, offline }),
  });
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
])("a fault in %s is reported in its program's words", async (name, text, program) => {
  const { manifest, said } = await runStep("check-files", { files: { ...files, [name]: `${text}\n` } });
  expect(manifest).toBeUndefined();
  expect(said).toContain(`files/${name}: ${program} says: `);
});

test("every fault is listed at once", async () => {
  const broken = { ...files, "dnsmasq.conf": "nonsense\n", "chrony.conf": "nonsense\n" };
  const { said } = await runStep("check-files", { files: broken });
  expect(said).toContain("files/dnsmasq.conf");
  expect(said).toContain("files/chrony.conf");
});

test.each([
  "error while loading shared libraries: libdbus-1.so.3: cannot open shared object file: No such file or directory",
  "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by dnsmasq)",
])("a program that cannot start is not taken for a fault of the template: %s", async (words) => {
  const cache = cacheWith("dnsmasq", `echo "dnsmasq: ${words.replace("`", "\\`")}" >&2; exit 127`);
  const input = { files: { "dnsmasq.conf": files["dnsmasq.conf"] } };
  const { manifest, said } = await runStep("check-files", input, { BOOTSTRAP_PXE_CACHE: cache });
  expect(manifest).toBeUndefined();
  expect(said).toContain("dnsmasq cannot start on this machine: ");
  expect(said).toContain(words);
  expect(said).toContain("npm run setup");
  expect(said).not.toContain("template");
});
