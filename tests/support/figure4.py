"""Figure 4 of the paper."""

# Figure 4 as it is printed: filter size, stride, dilation, channels; what is not said is 1.
FIGURE_4 = [
    "Conv3-s1-64 Conv3-s2-64 BN",
    "Conv3-128 Conv3-s2-128 BN",
    "Conv3-256 Conv3-256 Conv3-s2-256 BN",
    "Conv3-512 Conv3-512 Conv3-512 BN",
    "Conv3-d2-512 Conv3-d2-512 Conv3-d2-512 BN",
    "Conv3-d2-512 Conv3-d2-512 Conv3-d2-512 BN",
    "Conv3-512 Conv3-512 Conv3-512 BN",
    "Deconv4-s2-256 Deconv4-s2-256 Deconv4-s2-256",
]
SIDES = [16, 8, 4, 4, 4, 4, 4, 32]  # after each block, of a 32x32 image
