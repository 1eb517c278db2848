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

test("an image is shown by its manifest, not by its parts", () => {
  const asked = { link: "isolated", kind: "registry", mac: expected.minipcMac } as const;
  const sent = { ...asked, state: "sent", status: 200, sha256: "aa" } as const;
  const seen = [
    { atMs: 1, ...asked, path: "/v2/ghcr.io/x/manifests/1?ns=ghcr.io", state: "asked" as const },
    { atMs: 2, ...sent, path: "/v2/ghcr.io/x/manifests/1?ns=ghcr.io", bytes: 0 },
    { atMs: 3, ...sent, path: "/v2/ghcr.io/x/manifests/sha256:aa?ns=ghcr.io", bytes: 500 },
    { atMs: 4, ...sent, path: "/v2/ghcr.io/x/blobs/sha256:bb?ns=ghcr.io", bytes: 5000 },
  ];
  expect(exchangesIn(seen, expected)).toEqual([
    {
      ...{ atMs: 3, link: "isolated", from: "appliance", to: "minipc" },
      what: "image: 200, ghcr.io/x/manifests/sha256:aa",
    },
  ]);
});
