import { App } from 'aws-cdk-lib';
import topology from '../regions.config.ts';
import { synthesize } from './synthesize.ts';

const app = new App();
synthesize(app, topology);
