/** Where in its country a region is, as its code says it. For expressions. */
export const DIRECTIONS = '(?:north|south|east|west|central|northeast|northwest|southeast|southwest)';

/** Codes of regions by their form, not by a list: a region that AWS opens tomorrow is found as well. For expressions. */
export const REGION_FORM = `(?<![a-z0-9])(?:[a-z]{2}(?:-gov|-iso[a-z]?)?|eusc-de|eu-isoe)-${DIRECTIONS}-\\d{1,2}(?!\\d)`;

const PLACES = [
  new RegExp(REGION_FORM),
  /(?<![a-z0-9])[a-z]{3,6}\d(?:-[a-z0-9]{3,})*-az\d(?!\d)/,
  /(?<![a-z0-9])\d{12}(?![a-z0-9])/,
];

/**
 * What in a name reads like a region, an availability zone's id or an account, undefined for nothing. Such a name would stand in every
 * template of its zone and look there as if the zone reached out to that place.
 */
export function placeIn(name: string): string | undefined {
  return PLACES.map((place) => place.exec(name)?.[0]).find((found) => found !== undefined);
}

/** Behind the field's value: why `placeIn` is refused, and what to do. */
export function refusalOf(place: string): string {
  return `holds ${place}, which reads like a region, an availability zone's id or an account: the check of what leaves a residency would stop every stack that has the name; name it otherwise`;
}
