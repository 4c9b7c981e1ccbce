import { aws_cloudwatch as cloudwatch, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AwsRegion } from '../../topology/aws-regions.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { dashboardName } from '../names.ts';
import { costWidgets } from './cost-widgets.ts';
import { dataWidgets } from './data-widgets.ts';
import { serviceWidgets } from './service-widgets.ts';
import type { WatchedRegion } from './watched-region.ts';

export interface ZoneDashboardProps {
  readonly zone: ZoneDeployment;
  /** All regions of the zone, the origin first. */
  readonly regions: readonly WatchedRegion[];
}

/**
 * One dashboard for a zone, every region a line in each picture: what callers see, then what the hot path lives on, then the
 * database, then what the bill grows with. The pictures are drawn from each region's own CloudWatch when somebody looks.
 */
export class ZoneDashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, { zone, regions }: ZoneDashboardProps) {
    super(scope, id);
    this.name = dashboardName(zone);
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: this.name,
      defaultInterval: Duration.hours(3),
    });
    const title = (text: string): cloudwatch.IWidget =>
      new cloudwatch.TextWidget({
        markdown: `## ${text}`,
        width: 24,
        height: 1,
        background: cloudwatch.TextWidgetBackground.TRANSPARENT,
      });
    const section = (text: string, widgets: readonly cloudwatch.IWidget[]): void =>
      dashboard.addWidgets(title(text), ...widgets);
    const codes = regions.map(({ region }): AwsRegion => region).join(', ');
    section(`Zone ${zone.name} (${codes})`, serviceWidgets(zone, regions));
    section('Database, replication, cache, events', dataWidgets(zone, regions));
    section('What the bill grows with', costWidgets(zone, regions));
  }
}
