import { exchangesIn } from "../../../rehearsal/timeline/exchanges";

const expected = {
  minipcMac: "52:54:00:12:34:56",
  minipcIp: "10.10.10.100",
  applianceIp: "10.10.10.2",
  isolatedNic: "02:00:5e:00:53:11",
  uplinkNic: "02:00:5e:00:53:12",
  kernelArguments: [],
  configSha256: "",
  hasSerialConsole: true,
};

test("the appliance's search for other DHCP servers is shown once, and each question of the mini-PC is shown", () => {
  const asks = (mac: string, atMs: number) => ({
    ...{ atMs, mac, link: "isolated" as const, kind: "dhcp" as const },
    message: { type: "discover" as const, client: mac, stage: "system" as const },
  });
  const { isolatedNic, minipcMac } = expected;
  const seen = [asks(isolatedNic, 1), asks(minipcMac, 2), asks(isolatedNic, 9), asks(minipcMac, 10)];
  expect(exchangesIn(seen, expected).map(({ atMs }) => atMs)).toEqual([1, 2, 10]);
});
