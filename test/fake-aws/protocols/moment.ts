/** How AWS's XML writes a moment. JSON and CBOR have other forms for it. */
export const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
