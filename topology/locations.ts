/**
 * Where clients are on a laptop: each gets a port of its own on a zone's accelerator. Coordinates of the cities, as in any atlas.
 */
export const CLIENT_LOCATIONS = {
  'new-york': { city: 'New York', latitude: 40.71, longitude: -74.01 },
  'sao-paulo': { city: 'São Paulo', latitude: -23.55, longitude: -46.63 },
  london: { city: 'London', latitude: 51.51, longitude: -0.13 },
  frankfurt: { city: 'Frankfurt', latitude: 50.11, longitude: 8.68 },
  mumbai: { city: 'Mumbai', latitude: 19.08, longitude: 72.88 },
  singapore: { city: 'Singapore', latitude: 1.35, longitude: 103.82 },
  tokyo: { city: 'Tokyo', latitude: 35.68, longitude: 139.69 },
  sydney: { city: 'Sydney', latitude: -33.87, longitude: 151.21 },
} as const satisfies Record<string, { city: string; latitude: number; longitude: number }>;

export type ClientLocation = keyof typeof CLIENT_LOCATIONS;

// Object.keys is typed as string[]; the table above is constant, so its keys are exactly these.
export const CLIENT_LOCATION_IDS = Object.keys(CLIENT_LOCATIONS) as readonly ClientLocation[];
