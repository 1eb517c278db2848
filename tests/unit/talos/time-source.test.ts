import { readNodeConfig } from "../../../steps/talos/read-node-config";
import { timeElsewhere } from "../../../steps/talos/time-source";

const LINK = { minipcMac: "52:54:00:12:34:56", minipcIp: "10.10.10.100", applianceCidr: "10.10.10.2/24" };
const section = (machine: object) => JSON.stringify({ version: "v1alpha1", machine });
const document = (kind: string, rest: object) => JSON.stringify({ apiVersion: "v1alpha1", kind, ...rest });
const nic = { deviceSelector: { hardwareAddr: LINK.minipcMac } };

test.each<[what: string, config: string, says: RegExp | undefined]>([
  ["nothing of the time", section({}), undefined],
  [
    "time servers",
    section({ time: { servers: ["192.168.1.1", "ptbtime1.ptb.de"] } }),
    /time servers, 192\.168\.1\.1, ptbtime1\.ptb\.de$/,
  ],
  [
    "time servers in a document",
    document("TimeSyncConfig", { ntp: { servers: ["192.168.1.1"] } }),
    /time servers, 192\.168\.1\.1$/,
  ],
  ["the appliance among them", section({ time: { servers: ["192.168.1.1", "10.10.10.2"] } }), undefined],
  ["no time", section({ time: { disabled: true } }), /switches the keeping of time off/],
  [
    "no time, in a document",
    document("TimeSyncConfig", { enabled: false }),
    /switches the keeping of time off/,
  ],
  [
    "the lease as a static address",
    section({ network: { interfaces: [{ ...nic, addresses: ["10.10.10.100/24"] }] } }),
    /asks for no lease on that NIC/,
  ],
  [
    "a static address beside the lease",
    section({ network: { interfaces: [{ ...nic, dhcp: true, addresses: ["192.168.1.5/24"] }] } }),
    undefined,
  ],
  [
    "a NIC by a name, which may be this one",
    section({ network: { interfaces: [{ interface: "enp1s0", addresses: ["192.168.1.5/24"] }] } }),
    undefined,
  ],
])("%s: whether the node asks the appliance for the time", (_what, config, says) => {
  const told = timeElsewhere(readNodeConfig(config), LINK);
  if (says) expect(told).toMatch(says);
  else expect(told).toBeUndefined();
});
