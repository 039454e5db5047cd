"""What can go wrong with the bundles of collectors."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, NotFound


class BundleRejected(Invalid):
    """The file is no whole bundle of the collector script, or passes a limit."""

    code = "audits.bundle_rejected"
    title = Text("采集包不可接受", "The bundle is refused")
    remedy = Text(
        "请在主机上重新运行 collect_host.sh,并原样传回它写出的文件。",
        "Run collect_host.sh on the host again and bring its file back unchanged.",
    )


class AssetNotMatched(Invalid):
    """No asset, or more than one of a kind, fits the host that a bundle is from."""

    code = "audits.asset_not_matched"
    title = Text("无法确定采集包属于哪个资产", "Which asset the bundle is of is not clear")
    remedy = Text(
        "请用 --asset 指明资产;资产须先登记,名称或地址与主机一致时可自动对应。",
        "Name the asset with --asset; a registered asset with the host's name or address is found.",
    )


class BundleNotFound(NotFound):
    """The organisation has no such bundle."""

    code = "audits.bundle_not_found"
    title = Text("没有这个采集包", "There is no such bundle")
    remedy = Text(
        "请在采集页面或用 secops audits list-bundles 查看已导入的采集包。",
        "See the imported bundles on the collectors page or with `secops audits list-bundles`.",
    )
