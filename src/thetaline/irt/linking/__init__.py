"""Linking: one file a method, screening of drifted anchors, standard errors, diagnostics."""

from thetaline.irt.covariance import ItemCovariance as ItemCovariance
from thetaline.irt.linking.chain import ChainLink as ChainLink, average_links as average_links, link_chain as link_chain
from thetaline.irt.linking.diagnostics import LinkDiagnostics as LinkDiagnostics
from thetaline.irt.linking.link import link as link
from thetaline.irt.linking.method import LinkWeights as LinkWeights
from thetaline.irt.linking.result import Link as Link
from thetaline.irt.linking.standard_errors import LinkErrors as LinkErrors
