import { TOP } from "../tools";
import { play } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();

/** nginx as the appliance has it but for its user, and what `show-status` leaves it. */
const SERVED = `
mount -t tmpfs none /run; mount -t tmpfs none /srv
mkdir -p /run/bootstrap-pxe/status /srv/http/configs; echo secret >/srv/http/configs/minipc.yaml
cd /run/bootstrap-pxe/status; echo page >index.html; echo '{}' >status.json; echo half >status.json.new
ln -s ${TOP}/packer/appliance/status/status.css ${TOP}/packer/appliance/status/status.js .; cd "$OLDPWD"
sed -i 's|syslog:[^ ]*|/run/access.log|' nginx-bootstrap.conf
echo "user root; pid /run/nginx.pid; worker_processes 1; events { } http { types { text/html html; text/css css; application/javascript js; application/json json; } $(printf '%s_temp_path /run/%s; ' client_body x proxy x fastcgi x uwsgi x scgi x) include $PWD/nginx-bootstrap.conf; }" >nginx.conf
nginx -e stderr -g 'daemon off;' -c $PWD/nginx.conf >/dev/null 2>&1 & daemons="$daemons $!"
await '[ -s /run/nginx.pid ]'
asks() { who=$1; shift; nsenter -t $who -n curl -s -m 300 -o /dev/null -w '%{http_code} %{content_type}\\n' "$@" || true; }
`;
const TOP_URL = "http://10.10.10.2";

test("anyone on the isolated link sees the status, nobody on the uplink does, and the config stays the lease's", async () => {
  const said = await play(
    folder,
    `${SERVED}
for path in / /status.json /status.css /status.js; do asks $stranger ${TOP_URL}$path; done
for path in /index.html /status.json.new /status /statusxjson /status.json/ /configs/../status.json; do asks $pc --path-as-is ${TOP_URL}$path; done
asks $stranger ${TOP_URL}/configs/minipc.yaml; asks $pc ${TOP_URL}/configs/minipc.yaml
asks $host -m 2 http://192.0.2.2/; asks $host -m 2 ${TOP_URL}/
grep -o '"GET [^"]*"' /run/access.log | sort -u | grep -cF -e ' /status.json ' -e ' / ' || true`,
  );
  expect(said.split("\n")).toEqual([
    "200 text/html",
    "200 application/json",
    "200 text/css",
    "200 application/javascript",
    ...["404 text/html", "404 text/html", "404 text/html", "404 text/html", "404 text/html"],
    "200 application/json",
    "403 text/html",
    "200 application/octet-stream",
    "000 ",
    "000 ",
    // What a browser asks for every other second is in no log.
    "0",
  ]);
});

test("browsers are told to take scripts and styles from the appliance alone, and to keep nothing", async () => {
  const said = await play(
    folder,
    `${SERVED}nsenter -t $stranger -n curl -s -m 300 -D - -o /dev/null ${TOP_URL}/`,
  );
  const header = (name: string) => new RegExp(`^${name}: (.*?)\\r?$`, "im").exec(said)?.[1];
  const policy = header("Content-Security-Policy")?.split("; ");
  expect(policy).toEqual(
    expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'"]),
  );
  expect(said).not.toMatch(/unsafe|https?:/);
  expect(header("Cache-Control")).toBe("no-store");
  expect(header("X-Content-Type-Options")).toBe("nosniff");
});

test("a download that ends before its end is logged as such", async () => {
  const said = await play(
    folder,
    `${SERVED}
mkdir -p /srv/http/talos/v1; truncate -s 64M /srv/http/talos/v1/vmlinuz; truncate -s 1M /srv/http/talos/v1/initramfs.xz
in_pc curl -s ${TOP_URL}/talos/v1/initramfs.xz >/dev/null
in_pc curl -s ${TOP_URL}/talos/v1/vmlinuz 2>/dev/null | head -c 1 >/dev/null
await 'grep -q vmlinuz /run/access.log'
sed 's/^/1.5 nginx[4]: /' /run/access.log | busybox awk -v own=10.10.10.2 -v as=facts -f ${TOP}/packer/appliance/events.awk`,
  );
  expect(said.split("\n")).toEqual([
    "http /talos/v1/initramfs.xz 200 10.10.10.100",
    "http /talos/v1/vmlinuz cut 10.10.10.100",
  ]);
});
