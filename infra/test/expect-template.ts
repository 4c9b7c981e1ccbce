import type { Template } from 'aws-cdk-lib/assertions';

/** A template has a resource of this type with (at least) these properties. */
export function expectResource(template: Template, type: string, properties: object): void {
  template.hasResourceProperties(type, properties);
}

export function expectCount(template: Template, type: string, count: number): void {
  template.resourceCountIs(type, count);
}

/** Every resource of this type, of which there is one at least, has (at least) this: its properties and what stands beside them. */
export function expectAll(template: Template, type: string, content: object): void {
  template.allResources(type, content);
}
