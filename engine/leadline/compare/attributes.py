"""Statistics as attributes of a compared column, so that they are found and typed by name."""

from __future__ import annotations

from .statistic import Statistic


class StatisticAttributes:
    """Attributes that stand for ``self[name]``. Where a column lacks one, asking for it says so."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Statistic:
        raise NotImplementedError

    @property
    def ks(self) -> Statistic:
        """Two-sample Kolmogorov-Smirnov distance (`numeric.ks`)."""
        return self["ks"]

    @property
    def wasserstein(self) -> Statistic:
        """First Wasserstein distance, in the column's unit (`numeric.wasserstein`)."""
        return self["wasserstein"]

    @property
    def psi(self) -> Statistic:
        """Population stability index (`binned.psi`)."""
        return self["psi"]

    @property
    def jensen_shannon(self) -> Statistic:
        """Jensen-Shannon distance, base 2 (`binned.jensen_shannon`)."""
        return self["jensen_shannon"]

    @property
    def kl_divergence(self) -> Statistic:
        """Kullback-Leibler divergence from the reference (`binned.kl_divergence`)."""
        return self["kl_divergence"]

    @property
    def hellinger(self) -> Statistic:
        """Hellinger distance (`binned.hellinger`)."""
        return self["hellinger"]

    @property
    def bhattacharyya(self) -> Statistic:
        """Bhattacharyya distance (`binned.bhattacharyya`)."""
        return self["bhattacharyya"]

    @property
    def total_variation(self) -> Statistic:
        """Total variation distance (`binned.total_variation`)."""
        return self["total_variation"]

    @property
    def overlap(self) -> Statistic:
        """One less the total variation distance (`binned.overlap`)."""
        return self["overlap"]

    @property
    def l_infinity(self) -> Statistic:
        """Largest difference of a share (`binned.l_infinity`)."""
        return self["l_infinity"]

    @property
    def chi2(self) -> Statistic:
        """Pearson's chi-squared statistic (`contingency.chi2`)."""
        return self["chi2"]

    @property
    def cramers_v(self) -> Statistic:
        """Cramer's V (`contingency.cramers_v`)."""
        return self["cramers_v"]

    @property
    def g_test(self) -> Statistic:
        """Likelihood-ratio statistic (`contingency.g_test`)."""
        return self["g_test"]

    @property
    def entropy_change(self) -> Statistic:
        """Change of Shannon's entropy (`categorical.entropy_change`)."""
        return self["entropy_change"]

    @property
    def cohens_h(self) -> Statistic:
        """Cohen's h of two shares (`shares.cohens_h`)."""
        return self["cohens_h"]

    @property
    def share_ratio(self) -> Statistic:
        """Ratio of the shares of the rarer outcome (`shares.share_ratio`)."""
        return self["share_ratio"]

    @property
    def z_test(self) -> Statistic:
        """Pooled z of two shares (`shares.z_test`)."""
        return self["z_test"]

    @property
    def fisher_exact(self) -> Statistic:
        """Odds ratio with Fisher's exact test (`shares.fisher_exact`)."""
        return self["fisher_exact"]
