/** TCP ports of the appliance on the isolated link: of its web server, and of the registry of an offline stack. */
export const WEB_PORT = 80;
export const REGISTRY_PORT = 5000;
