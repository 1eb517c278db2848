import { checkConfig } from "../../config";
import { render, renderServiceFiles } from "../../components/service-files";

const lab = { bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" };

test.each([
  ["the seed's mini-PC", lab],
  ["no uplink", { ...lab, uplink: "false" }],
  [
    "resolvers of its own, another subnet and one console",
    {
      ...lab,
      upstreamDns: "9.9.9.9,2620:fe::fe",
      applianceCidr: "192.168.7.1/28",
      minipcIp: "192.168.7.5",
      dhcpRange: "192.168.7.6-192.168.7.9",
      consoles: "ttyS1",
    },
  ],
])("%s", (_name, given) => {
  expect(renderServiceFiles(checkConfig(given as Record<string, string>, "lab"))).toMatchSnapshot();
});

test("a name that no one knows is an error, not an empty place", () => {
  expect(() => render("dnsmasq.conf", "{{#uplink}}{{gateway}}{{/uplink}}", { uplink: true })).toThrow(
    "files/dnsmasq.conf names {{gateway}}, which is not known; known are uplink",
  );
});

test("values are written as they are: configs are no HTML", () => {
  expect(render("x", "{{value}}", { value: 'a"b&c' })).toBe('a"b&c');
});
