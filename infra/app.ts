import { App } from 'aws-cdk-lib';
import topology from '../regions.config.ts';
import { TopologyError } from '../topology/problems.ts';
import { ContextError, synthesize } from './synthesize.ts';

/** The CDK app: `cdk.json` runs it. What is wrong with the topology is said without a stack trace, which would say nothing more. */
try {
  synthesize(new App(), topology);
} catch (error) {
  if (!(error instanceof TopologyError || error instanceof ContextError)) throw error;
  process.stderr.write(`keyhearth: ${error.message}\n`);
  process.exitCode = 1;
}
