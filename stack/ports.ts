/** TCP ports of the appliance on the isolated link: of its web server, and of the registry of an offline stack. */
export const WEB_PORT = 80;
export const REGISTRY_PORT = 5000;

/** TCP ports of a Talos node: apid, which talosctl talks to, and the API of Kubernetes on a control plane. */
export const APID_PORT = 50000;
export const KUBERNETES_PORT = 6443;
