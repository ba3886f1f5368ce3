// Products and sums that nvcc fuses unless it is told not to; see kernel_ptx_test.cpp.

namespace ossau::test {

__global__ void float_product_and_sum(float* a) { a[0] = a[0] * a[1] + a[2]; }

__global__ void double_product_and_sum(double* a) { a[0] = a[0] * a[1] + a[2]; }

}  // namespace ossau::test
