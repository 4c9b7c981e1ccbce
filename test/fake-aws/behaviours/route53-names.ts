/** As Route 53 keeps names: lower case, with a dot at the end. */
export function dnsName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** Is a name a zone's own, or below it? */
export function isWithin(name: string, zone: string): boolean {
  return dnsName(name) === dnsName(zone) || dnsName(name).endsWith(`.${dnsName(zone)}`);
}

/** Labels of 1 to 63 octets, 255 in all ("DNS domain name format", Route 53's developer guide); a first `*` stands for any label. */
export function isDomainName(name: string): boolean {
  const labels = dnsName(name).slice(0, -1).split('.');
  return (
    dnsName(name).length <= 255 &&
    labels.every((label, index) => /^[a-z0-9_-]{1,63}$/u.test(label) || (label === '*' && index === 0))
  );
}
