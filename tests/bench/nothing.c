// SPDX-License-Identifier: Apache-2.0
// A command that costs nothing, static, so that it runs in any root.
int main(void)
{
    return 0;
}
