"""Work on a personalisation job in a process of its own, to be killed at any moment: CITY JOB OUT."""

import sys
from pathlib import Path

import click

from citycard.city import City
from citycard.city.personalising import JobWorker

city = City.open(Path(sys.argv[1]))
count = JobWorker(city, int(sys.argv[2])).make_images(Path(sys.argv[3]), lambda seen: click.echo(seen.made))
click.echo(f"done {count.made}")
